import type { Counter, Histogram, MetricFamily, MetricRegistry } from "#base/metrics.ts";

/** Source: apiserver/pkg/admission/metrics/metrics.go. */
const pluginBuckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const webhookBuckets = [...pluginBuckets, 10, 25];
/** Source: admission/plugin/policy/validating/metrics/metrics.go. */
const policyBuckets = [0.0000005, 0.001, 0.01, 0.1, 1];

export type AdmissionPhase = "admit" | "validate";

/** Times of what was let through and of what was refused. */
export interface Outcomes {
  readonly passed: Histogram;
  readonly refused: Histogram;
}

/** By operation. */
export type OutcomesOf = (operation: string) => Outcomes;

/** Observes admission as a whole, and each plugin. */
export interface AdmissionMeters {
  ofStep(phase: AdmissionPhase): OutcomesOf;
  ofPlugin(name: string, phase: AdmissionPhase): OutcomesOf;
}

export function admissionMeters(registry: MetricRegistry): AdmissionMeters {
  const labels = ["type", "operation", "rejected"];
  const stability = "STABLE";
  const steps = registry.histogram({
    name: "apiserver_admission_step_admission_duration_seconds",
    help: "Time of admission, by phase (admit or validate), operation and whether the request was refused.",
    labels,
    buckets: pluginBuckets,
    stability,
  });
  const plugins = registry.histogram({
    name: "apiserver_admission_controller_admission_duration_seconds",
    help: "Time of each admission plugin, by name, phase, operation and whether it refused the request.",
    labels: ["name", ...labels],
    buckets: pluginBuckets,
    stability,
  });
  return {
    ofStep: (phase) => outcomesOf(steps, [phase]),
    ofPlugin: (name, phase) => outcomesOf(plugins, [name, phase]),
  };
}

/** Looks cells up once; those of refusals when there is one. */
function outcomesOf(family: MetricFamily<Histogram>, labels: readonly string[]): OutcomesOf {
  const known = new Map<string, Outcomes>();
  return (operation) => {
    let outcomes = known.get(operation);
    if (outcomes === undefined) {
      const passed = family.with(...labels, operation, "false");
      outcomes = {
        passed,
        get refused() {
          return family.with(...labels, operation, "true");
        },
      };
      known.set(operation, outcomes);
    }
    return outcomes;
  };
}

export interface WebhookCall {
  readonly name: string;
  readonly mutating: boolean;
  readonly operation: string;
  readonly isRefused: boolean;
  readonly seconds: number;
}

/** Observes the calls of admission webhooks. */
export function webhookMeter(registry: MetricRegistry): (call: WebhookCall) => void {
  const family = registry.histogram({
    name: "apiserver_admission_webhook_admission_duration_seconds",
    help: "Time of each admission webhook, by name, type, operation and whether it refused the request.",
    labels: ["name", "type", "operation", "rejected"],
    buckets: webhookBuckets,
    stability: "STABLE",
  });
  return ({ name, mutating, operation, isRefused, seconds }) =>
    family.with(name, mutating ? "admit" : "validating", operation, String(isRefused)).observe(seconds);
}

export interface PolicyCheck {
  readonly policy: string;
  readonly binding: string;
  /** What the binding does about it: deny, audit, warn. */
  readonly action: string;
  readonly isError: boolean;
  readonly seconds: number;
}

/** Observes validating admission policies that did not hold. */
export function policyMeter(registry: MetricRegistry): (check: PolicyCheck) => void {
  const labels = ["policy", "policy_binding", "error_type", "enforcement_action"];
  const stability = "BETA";
  const total: MetricFamily<Counter> = registry.counter({
    name: "apiserver_validating_admission_policy_check_total",
    help: "Checks of validating admission policies, by policy, binding, error and what was done about it.",
    labels,
    stability,
  });
  const times = registry.histogram({
    name: "apiserver_validating_admission_policy_check_duration_seconds",
    help: "Time of these checks.",
    labels,
    buckets: policyBuckets,
    stability,
  });
  return ({ policy, binding, action, isError, seconds }) => {
    const values = [policy, binding, isError ? "invalid_error" : "no_error", action.toLowerCase()];
    total.with(...values).inc();
    times.with(...values).observe(seconds);
  };
}
