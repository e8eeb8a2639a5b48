import type { ValidatingAdmissionPolicyBinding } from "#api/admissionregistration/v1/validating-admission-policy-binding.ts";
import type { ValidatingAdmissionPolicy } from "#api/admissionregistration/v1/validating-admission-policy.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { failure, isStatusError, reasons, type StatusReason } from "#apimachinery/status.ts";
import type { Endpoint } from "../../call.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { isExempt } from "../matching/rules.ts";
import { type AdmissionRequest, forbid, namespaceOf } from "../request.ts";
import { AuditAnnotations, publishFailure } from "./audit.ts";
import { collectParams, ConfigurationError, paramEndpoint } from "./params.ts";
import {
  type BoundPolicy,
  boundPolicies,
  matchResources,
  namespaceObject,
  type PolicyContext,
} from "./policies.ts";
import { type Decision, evaluatePolicy, type PolicyRun } from "./evaluate-policy.ts";

type Context = PolicyContext<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>;
type Bound = BoundPolicy<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>;

interface Denial {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

/** Checks requests by CEL expressions. Source: admission/plugin/policy/validating. */
export function validatingAdmissionPolicy(context: Context): AdmissionPlugin {
  const policies = boundPolicies(context);
  return {
    name: "ValidatingAdmissionPolicy",
    handles: (request) => policies().length > 0 && !isExempt(request),
    async validate(request) {
      const denials: Denial[] = [];
      for (const bound of policies()) await apply(bound, request, { context, denials });
      const [first] = denials;
      if (first !== undefined) throw refusal(request, first);
    },
  };
}

interface Applying {
  readonly context: Context;
  readonly denials: Denial[];
}

async function apply(
  { policy, bindings }: Bound,
  request: AdmissionRequest,
  applying: Applying,
): Promise<void> {
  const { context, denials } = applying;
  const { spec, metadata } = policy;
  const fail = (error: unknown, binding?: ValidatingAdmissionPolicyBinding): void => {
    if (!(error instanceof ConfigurationError) && !isStatusError(error)) throw error;
    if (spec.failurePolicy === "Ignore") return;
    const what =
      binding === undefined ? "failed to configure policy" : "failed to configure binding";
    const message = `${what}: ${error.message}`;
    denials.push({
      policy: metadata?.name ?? "",
      binding: binding?.metadata?.name,
      message,
      reason: "",
    });
  };
  let definition: ResourceDefinition | undefined;
  let endpoint: Endpoint | undefined;
  try {
    definition = matchResources(spec.matchConstraints, request, context.namespaces);
    if (definition === undefined) return;
    if (spec.paramKind !== undefined) endpoint = paramEndpoint(context.table, spec.paramKind);
  } catch (error) {
    return fail(error);
  }
  const annotations = new AuditAnnotations();
  for (const binding of bindings) {
    try {
      if (matchResources(binding.spec.matchResources, request, context.namespaces) === undefined)
        continue;
      const reference = binding.spec.paramRef;
      const params = await collectParams({ endpoint, reference, namespace: namespaceOf(request) });
      for (const param of params) {
        const run = {
          context,
          definition,
          policy,
          param,
          namespace: namespaceObject(request, context.namespaces),
        };
        await runBinding(run, request, { observe: context.observe, binding, annotations, denials });
      }
    } catch (error) {
      fail(error, binding);
    }
  }
  annotations.publish(metadata?.name ?? "", request.call);
}

interface Running {
  readonly observe: Context["observe"];
  readonly binding: ValidatingAdmissionPolicyBinding;
  readonly annotations: AuditAnnotations;
  readonly denials: Denial[];
}

async function runBinding(
  run: PolicyRun,
  request: AdmissionRequest,
  running: Running,
): Promise<void> {
  const { binding, annotations, denials } = running;
  const policy = run.policy.metadata?.name ?? "";
  const deny = (message: string, reason: string): void => {
    denials.push({ policy, binding: binding.metadata?.name, message, reason });
  };
  const { clock } = run.context;
  const startedMs = clock.monotonicMs();
  const result = await evaluatePolicy(run, request);
  const seconds = (clock.monotonicMs() - startedMs) / 1000;
  for (const [index, decision] of result.decisions.entries()) {
    if (decision.admit) continue;
    act(decision, request, { binding, index, deny });
    for (const action of binding.spec.validationActions ?? []) {
      running.observe({ policy, binding: binding.metadata?.name ?? "", action, isError: decision.reason === "", seconds });
    }
  }
  for (const { key, value, error } of result.auditAnnotations) {
    if (error !== undefined) deny(error, "");
    else if (value !== undefined) annotations.add(key, value);
  }
}

interface Acting {
  readonly binding: ValidatingAdmissionPolicyBinding;
  readonly index: number;
  readonly deny: (message: string, reason: string) => void;
}

function act(
  decision: Decision & { admit: false },
  { call }: AdmissionRequest,
  { binding, index, deny }: Acting,
): void {
  const { policyName = "", validationActions = [] } = binding.spec;
  const name = binding.metadata?.name ?? "";
  const { message, reason } = decision;
  for (const action of validationActions) {
    if (action === "Deny") deny(message, reason);
    if (action === "Audit")
      publishFailure(call, {
        index,
        message,
        binding: name,
        policy: policyName,
        validationActions,
      });
    if (action === "Warn") {
      call.warn(
        `Validation failed for ValidatingAdmissionPolicy '${policyName}' with binding '${name}': ${message}`,
      );
    }
  }
}

function refusal(request: AdmissionRequest, { policy, binding, message, reason }: Denial): Error {
  const by = binding === undefined ? "" : ` with binding '${binding}'`;
  const text = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
  const { status } = forbid(request, text);
  const why = (reason || "Invalid") as StatusReason;
  return failure(why, {
    message: status.message ?? "",
    details: { ...status.details, causes: [{ message: text }] },
    code: reasons[why] ?? 422,
  });
}
