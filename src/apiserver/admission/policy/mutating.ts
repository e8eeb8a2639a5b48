import type { MutatingAdmissionPolicyBinding } from "#api/admissionregistration/v1/mutating-admission-policy-binding.ts";
import type { MutatingAdmissionPolicy } from "#api/admissionregistration/v1/mutating-admission-policy.ts";
import { compileMutatingPolicy } from "#api/admissionregistration/v1/policy-expressions.ts";
import { perObjectCostMax } from "#apimachinery/cel/limits.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { failure, isStatusError } from "#apimachinery/status.ts";
import type { Endpoint } from "../../call.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { Evaluation, OutOfBudgetError } from "../cel/evaluation.ts";
import { matchConditions } from "../cel/match-conditions.ts";
import { isExempt } from "../matching/rules.ts";
import { withWireObject } from "../mutation.ts";
import { beginPass } from "../reinvocation.ts";
import { type AdmissionRequest, forbid, namespaceOf, wireObject } from "../request.ts";
import { customInVersion, inVersion } from "../versions.ts";
import { applyMutation, MutationError } from "./apply-mutation.ts";
import { collectParams, ConfigurationError, paramEndpoint } from "./params.ts";
import { boundPolicies, matchResources, namespaceObject, type PolicyContext } from "./policies.ts";

type Context = PolicyContext<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>;

const name = "MutatingAdmissionPolicy";

/** One policy, binding and param that apply to a request. */
interface Invocation {
  readonly policy: MutatingAdmissionPolicy;
  readonly binding: MutatingAdmissionPolicyBinding;
  readonly definition: ResourceDefinition;
  readonly param: KubeObject | null;
}

interface PolicyFailure {
  readonly policy: MutatingAdmissionPolicy;
  readonly binding?: MutatingAdmissionPolicyBinding;
  readonly message: string;
  readonly reason: string;
}

/** Changes objects by CEL expressions. Source: admission/plugin/policy/mutating. */
export function mutatingAdmissionPolicy(context: Context): AdmissionPlugin {
  const policies = boundPolicies(context);
  return {
    name,
    handles: (request) => policies().length > 0 && !isExempt(request),
    async mutate(request) {
      const failures: PolicyFailure[] = [];
      const invocations: Invocation[] = [];
      for (const bound of policies())
        await collect(bound, request, { context, failures, invocations });
      const object = await invoke(invocations, request, { context, failures });
      const fatal = failures.filter(({ policy }) => policy.spec.failurePolicy !== "Ignore");
      if (fatal.length > 0) throw refusal(request, fatal);
      return object;
    },
  };
}

interface Collecting {
  readonly context: Context;
  readonly failures: PolicyFailure[];
  readonly invocations: Invocation[];
}

async function collect(
  {
    policy,
    bindings,
  }: { policy: MutatingAdmissionPolicy; bindings: readonly MutatingAdmissionPolicyBinding[] },
  request: AdmissionRequest,
  { context, failures, invocations }: Collecting,
): Promise<void> {
  const fail = (error: unknown, binding?: MutatingAdmissionPolicyBinding): void => {
    if (!(error instanceof ConfigurationError) && !isStatusError(error)) throw error;
    const what =
      binding === undefined ? "failed to configure policy" : "failed to configure binding";
    failures.push({
      policy,
      ...(binding && { binding }),
      message: `${what}: ${error.message}`,
      reason: "",
    });
  };
  let endpoint: Endpoint | undefined;
  let definition: ResourceDefinition | undefined;
  try {
    definition = matchResources(policy.spec.matchConstraints, request, context.namespaces);
    if (definition === undefined) return;
    if (policy.spec.paramKind !== undefined)
      endpoint = paramEndpoint(context.table, policy.spec.paramKind);
  } catch (error) {
    return fail(error);
  }
  for (const binding of bindings) {
    try {
      if (matchResources(binding.spec.matchResources, request, context.namespaces) === undefined)
        continue;
      const reference = binding.spec.paramRef;
      const params = await collectParams({ endpoint, reference, namespace: namespaceOf(request) });
      for (const param of params) invocations.push({ policy, binding, definition, param });
    } catch (error) {
      fail(error, binding);
    }
  }
}

interface Invoking {
  readonly context: Context;
  readonly failures: PolicyFailure[];
}

async function invoke(
  invocations: readonly Invocation[],
  request: AdmissionRequest,
  invoking: Invoking,
): Promise<KubeObject | undefined> {
  const pass = beginPass(name, request);
  let current = request;
  for (const invocation of invocations) {
    const { policy, binding, param } = invocation;
    const key = [policy, binding, param]
      .map((one) => `${one?.metadata?.namespace}/${one?.metadata?.name}`)
      .join(" ");
    if (!pass.isDue(key)) continue;
    const before = current.object;
    const object = await mutateOnce(invocation, current, invoking);
    if (object === undefined || before === undefined) continue;
    const changed = object !== before;
    if (changed) current = { ...current, object };
    pass.ran(key, { changed, ifNeeded: policy.spec.reinvocationPolicy === "IfNeeded" });
  }
  pass.end(current.object);
  return current.object;
}

/** The object after all mutations of an invocation; undefined when its conditions keep it out. */
async function mutateOnce(
  { policy, binding, definition, param }: Invocation,
  request: AdmissionRequest,
  { context, failures }: Invoking,
): Promise<KubeObject | undefined> {
  const { spec } = policy;
  const fail = (message: string): void =>
    void failures.push({ policy, binding, message, reason: "Invalid" });
  const inputs = {
    definition,
    authorizer: context.authorizer,
    clock: context.clock,
    namespace: namespaceObject(request, context.namespaces),
    ...(spec.paramKind !== undefined && { params: param }),
  };
  const { failurePolicy } = spec;
  const conditions = await matchConditions(spec.matchConditions, {
    ...inputs,
    request,
    failurePolicy,
  });
  if (conditions.error !== undefined) fail(conditions.error);
  if (conditions.error !== undefined || !conditions.matches) return undefined;
  const compiled = compileMutatingPolicy(spec);
  const { variables } = compiled;
  const seen = await inVersion(request, definition);
  let current = seen;
  for (const [index, mutation] of (spec.mutations ?? []).entries()) {
    const expression = compiled.mutations[index];
    if (current.object === undefined || expression === undefined) continue;
    const evaluation = new Evaluation({
      ...inputs,
      request: current,
      variables,
      costMax: perObjectCostMax,
    });
    try {
      const before = wireObject(current, current.object, definition);
      const value = await applyMutation(mutation, { expression, evaluation, definition, before });
      if (!deepEqual(before, value))
        current = { ...current, object: withWireObject(current, value, definition) };
    } catch (error) {
      if (!(error instanceof MutationError || error instanceof OutOfBudgetError)) throw error;
      fail(error.message);
    }
  }
  if (current.object === undefined || current.object === seen.object) return request.object;
  return customInVersion(current.object, definition, request.call.definition);
}

function refusal(request: AdmissionRequest, failures: readonly PolicyFailure[]): Error {
  const texts = failures.map(({ policy, binding, message }) =>
    binding === undefined
      ? `policy ${JSON.stringify(policy.metadata?.name ?? "")} denied request: ${message}`
      : `policy '${policy.metadata?.name ?? ""}' with binding '${binding.metadata?.name ?? ""}' denied request: ${message}`,
  );
  const { status } = forbid(request, "admission request denied by policy");
  const reason = failures[0]?.reason === "Invalid" ? "Invalid" : "Forbidden";
  return failure(reason, {
    message: texts[0] ?? "",
    details: { ...status.details, causes: texts.map((message) => ({ message })) },
    code: 403,
  });
}
