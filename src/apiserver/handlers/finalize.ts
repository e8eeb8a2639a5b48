import type { Namespace } from "#api/core/v1/namespace.ts";
import { assert } from "#base/assert.ts";
import { decodeBody, expectedOf } from "../rest/decode.ts";
import { trackUpdate } from "../rest/managed-fields.ts";
import { ensureName, metaOf } from "../rest/metadata.ts";
import { updateWith } from "../rest/update.ts";
import type { Handler } from "./handler.ts";

/** PUT namespaces/NAME/finalize: only spec.finalizers change. */
export const namespaceFinalize: Handler = async (context, endpoint, call) => {
  const wanted = decodeBody(call, expectedOf(endpoint.definition), context.table) as Namespace;
  ensureName(call, metaOf(wanted));
  const { entry } = await updateWith(endpoint, call, {
    deps: context.rest,
    uid: wanted.metadata?.uid ?? "",
    allowCreate: false,
    transform(live) {
      assert(live !== undefined, "finalize of an absent namespace");
      const updated = {
        ...live,
        metadata: { ...live.metadata, resourceVersion: wanted.metadata?.resourceVersion },
        spec: { ...(live as Namespace).spec, finalizers: wanted.spec?.finalizers ?? [] },
      };
      return Promise.resolve(trackUpdate({ endpoint, call, updated, live }));
    },
  });
  return { kind: "entry", endpoint, entry, code: 200 };
};
