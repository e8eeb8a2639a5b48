import { Binding } from "#api/core/v1/binding.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { rfc3339 } from "#base/clock.ts";
import { fieldErrorsText, notSupported, required, type FieldError } from "#apimachinery/field-error.ts";
import { setOwn } from "#apimachinery/maps.ts";
import { badRequest, conflict, plainError } from "#apimachinery/status.ts";
import type { Answer } from "../answer.ts";
import type { Call, Endpoint } from "../call.ts";
import { decodeBody, kindOf } from "../rest/decode.ts";
import { updateWith } from "../rest/update.ts";
import { admitPosted } from "./admit.ts";
import type { Handler, HandlerContext } from "./handler.ts";

const bindingKind = { group: "", version: "v1", kind: "Binding" };
const expected = kindOf(Binding, "", "v1");

/** POST pods/NAME/binding: the scheduler's decision. Source: registry/core/pod/storage BindingREST. */
export const podBinding: Handler = (context, endpoint, call) => bind(context, endpoint, call);

/** POST of the old collection `bindings`, which names the pod in the body. */
export const bindings: Handler = (context, _endpoint, call) => {
  const pods = context.table.find("", "v1", "pods");
  if (pods === undefined) throw new Error("pods are not served");
  const binding = decodeBody(call, expected, context.table) as Binding;
  return bind(context, pods, { ...call, name: binding.metadata?.name ?? "", definition: pods.definition });
};

async function bind(context: HandlerContext, endpoint: Endpoint, call: Call): Promise<Answer> {
  const posted = decodeBody(call, expected, context.table) as Binding;
  refuseInvalid(call, posted);
  const binding = await admitPosted(context, endpoint, { call, object: posted, kind: bindingKind });
  await updateWith(endpoint, { ...call, subresource: "binding" }, {
    deps: context.rest,
    uid: binding.metadata?.uid ?? "",
    allowCreate: false,
    admission: "done",
    transform: (live) => Promise.resolve(bound(call, binding, live as Pod)),
  });
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  return { kind: "status", status, code: 201 };
}

function refuseInvalid(call: Call, binding: Binding): void {
  const own = binding.metadata?.name ?? "";
  if (own !== "" && own !== call.name) throw badRequest("name in URL does not match name in Binding object");
  const errors: FieldError[] = [];
  const { kind, name } = binding.target;
  if (kind && kind !== "Node" && kind !== "Minion") {
    errors.push(notSupported("target.kind", kind, ["Node", "<empty>"]));
  }
  if (!name) errors.push(required("target.name", ""));
  if (errors.length > 0) throw plainError(fieldErrorsText(errors));
}

function bound(call: Call, binding: Binding, pod: Pod): Pod {
  const { metadata, spec } = pod;
  const refuse = (why: string): Error => conflict({ group: "", resource: "pods/binding" }, call.name, why);
  if (metadata?.deletionTimestamp !== undefined) {
    throw refuse(`pod ${call.name} is being deleted, cannot be assigned to a host`);
  }
  if (spec?.nodeName) throw refuse(`pod ${call.name} is already assigned to node ${JSON.stringify(spec.nodeName)}`);
  if ((spec?.schedulingGates?.length ?? 0) > 0) {
    throw refuse(`pod ${call.name} has non-empty .spec.schedulingGates`);
  }
  const annotations = merged(metadata?.annotations, binding.metadata?.annotations);
  const labels = merged(metadata?.labels, binding.metadata?.labels);
  const { nominatedNodeName: _nominated, ...status } = pod.status ?? {};
  return {
    ...pod,
    metadata: { ...metadata, ...(annotations && { annotations }), ...(labels && { labels }) },
    spec: { ...pod.spec, nodeName: binding.target.name },
    status: { ...status, conditions: scheduled(call, pod) },
  } as Pod;
}

type Texts = Record<string, string> | undefined;

/** The binding's win; undefined when there are none. */
function merged(own: Texts, added: Texts): Texts {
  if (added === undefined) return own;
  const result = { ...own };
  for (const [key, value] of Object.entries(added)) setOwn(result, key, value);
  return result;
}

function scheduled(call: Call, pod: Pod): NonNullable<NonNullable<Pod["status"]>["conditions"]> {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  const condition = {
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: rfc3339(call.nowMs),
  };
  return [...others, condition] as NonNullable<NonNullable<Pod["status"]>["conditions"]>;
}

