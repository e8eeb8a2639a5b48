import { Scale } from "#api/autoscaling/v1/scale.ts";
import { withManagedFields } from "#apimachinery/apply/managers.ts";
import { invalid } from "#apimachinery/field-error.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ScalePaths } from "#apimachinery/resource.ts";
import { describeLabelSelector, type LabelSelectorSource } from "#apimachinery/selectors.ts";
import { conflict, internal, invalidStatus, modifiedMessage } from "#apimachinery/status.ts";
import { assert } from "#base/assert.ts";
import type { Answer } from "../answer.ts";
import type { Call, Endpoint } from "../call.ts";
import { decodeBody, kindOf } from "./decode.ts";
import { get } from "./list.ts";
import { ensureName, metaOf } from "./metadata.ts";
import { applyToPlain } from "./patch.ts";
import { fromHub, type RestDeps } from "./rest.ts";
import { updateWith } from "./update.ts";
import { applyScale, parentManagers, withScaleManagers } from "./scale-managed-fields.ts";

/** GET of `scale`: the view of a workload that autoscalers and `kubectl scale` use. */
export async function readScale(endpoint: Endpoint, call: Call): Promise<Answer> {
  const entry = await get(endpoint, call);
  const object = entry.as(endpoint.definition);
  const { specReplicas } = pathsOf(endpoint, call);
  if (endpoint.definition.custom !== undefined && readPath(object, specReplicas) === undefined) {
    throw internal(`the spec replicas field ${JSON.stringify(specReplicas)} does not exist`);
  }
  return scaleAnswer(scaleOf(endpoint, object));
}

/** PUT or PATCH of `scale`: changes the replicas of the workload and nothing else. */
export async function writeScale(endpoint: Endpoint, call: Call, deps: RestDeps): Promise<Answer> {
  const paths = pathsOf(endpoint, call);
  const posted = call.verb === "patch" ? undefined : decodeBody(call, kindOf(Scale, "autoscaling", "v1"), deps.kinds);
  const { entry } = await updateWith(endpoint, call, {
    deps,
    uid: posted?.metadata?.uid ?? "",
    allowCreate: false,
    admission: (object, old) => ({
      kind: scaleKind,
      object: scaleOf(endpoint, fromHub(endpoint, object)),
      oldObject: scaleOf(endpoint, fromHub(endpoint, old)),
    }),
    async transform(live) {
      assert(live !== undefined, "scale of an absent object");
      const scale = withScaleManagers(endpoint, live, scaleOf(endpoint, live));
      const asked = posted === undefined ? patchedScale(call, scale) : ({ ...posted, metadata: { ...posted.metadata } } as Scale);
      ensureName(call, metaOf(asked));
      const wanted = await admit(endpoint, call, { deps, scale: asked, live: scale });
      if (endpoint.definition.custom === undefined) refuseBadScale(call, wanted);
      const version = wanted.metadata?.resourceVersion ?? "";
      if (version !== "" && version !== live.metadata?.resourceVersion) {
        const { group, plural } = endpoint.definition;
        throw conflict({ group, resource: plural }, call.name, modifiedMessage);
      }
      const updated = withPath(live, paths.specReplicas, wanted.spec?.replicas ?? 0);
      const managers = parentManagers({ endpoint, call }, live, { live: scale, wanted });
      return withManagedFields(updated, managers);
    },
  });
  return scaleAnswer(scaleOf(endpoint, entry.as(endpoint.definition)));
}

const scaleKind = { group: "autoscaling", version: "v1", kind: "Scale" };

async function admit(
  endpoint: Endpoint,
  call: Call,
  { deps, scale, live }: { readonly deps: RestDeps; readonly scale: Scale; readonly live: Scale },
): Promise<Scale> {
  const mutated = await deps.admission.mutate({
    operation: "UPDATE",
    call,
    endpoint,
    definition: endpoint.hub,
    name: call.name,
    kind: scaleKind,
    object: scale,
    oldObject: live,
  });
  return (mutated ?? scale) as Scale;
}

function patchedScale(call: Call, live: Scale): Scale {
  if (call.patchType === "apply") return applyScale(call, live);
  return applyToPlain(call, { live, schema: Scale }) as Scale;
}

function refuseBadScale(call: Call, scale: Scale): void {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas >= 0) return;
  throw invalidStatus({ group: "autoscaling", kind: "Scale" }, call.name, [
    invalid("spec.replicas", replicas, "must be greater than or equal to 0"),
  ]);
}

function pathsOf(endpoint: Endpoint, call: Call): ScalePaths {
  const paths = endpoint.definition.subresources[call.subresource]?.scale;
  assert(paths !== undefined, "scale without paths");
  return paths;
}

function scaleOf(endpoint: Endpoint, object: KubeObject): Scale {
  const paths = endpoint.definition.subresources["scale"]?.scale;
  assert(paths !== undefined, "scale without paths");
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const replicas = readPath(object, paths.specReplicas);
  const selector = paths.selector === undefined ? undefined : readPath(object, paths.selector);
  const text = selectorText(selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: Number(replicas ?? 0) },
    status: {
      replicas: Number(readPath(object, paths.statusReplicas) ?? 0),
      ...(text !== "" && { selector: text }),
    },
  };
}

/** A string as it is; a LabelSelector or (ReplicationController) a plain map as its text. */
function selectorText(selector: unknown): string {
  if (typeof selector === "string") return selector;
  if (typeof selector !== "object" || selector === null) return "";
  const isLabelSelector = "matchLabels" in selector || "matchExpressions" in selector;
  const source = isLabelSelector ? selector : { matchLabels: selector };
  return describeLabelSelector(source as LabelSelectorSource);
}

function scaleAnswer(object: Scale): Answer {
  return { kind: "object", object, schema: Scale, code: 200 };
}

function readPath(object: unknown, path: string): unknown {
  let value = object;
  for (const part of path.split(".").slice(1)) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[part] : undefined;
  }
  return value;
}

/** A copy with one value replaced along a path of objects. */
function withPath(object: KubeObject, path: string, value: unknown): KubeObject {
  const set = (node: unknown, parts: readonly string[]): unknown => {
    const [part, ...rest] = parts;
    if (part === undefined) return value;
    const record = (typeof node === "object" && node !== null ? node : {}) as Record<string, unknown>;
    return { ...record, [part]: set(record[part], rest) };
  };
  return set(object, path.split(".").slice(1)) as KubeObject;
}
