import type { Event } from "#api/core/v1/event.ts";
import { type FieldError, fieldErrorsText, invalid, notSupported } from "#apimachinery/field-error.ts";
import { type Infer, int32, kind, listOf, opt, req, string, struct } from "#apimachinery/schema.ts";
import { failure } from "#apimachinery/status.ts";
import type { Clock } from "#base/clock.ts";
import { createTokenBucket, type TokenBucket } from "#base/token-bucket.ts";
import { isDryRun } from "../../call.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { decodeConfiguration, type PluginConfiguration } from "../configuration.ts";
import { requestKind } from "../request.ts";

const limitTypes = ["Server", "Namespace", "User", "SourceAndObject"] as const;

const name = (type: string): string => `io.k8s.kubernetes.plugin.admission.eventratelimit.v1alpha1.${type}`;

const LimitSchema = struct(name("Limit"), {
  type: req(1, string),
  qps: req(2, int32),
  burst: req(3, int32),
  cacheSize: opt(4, int32),
});

const ConfigurationSchema = kind(name("Configuration"), { limits: req(1, listOf(LimitSchema)) });

type Limit = Infer<typeof LimitSchema>;

/** Buckets of a limit where its configuration does not say. Source: limitenforcer.go defaultCacheSize. */
const bucketsMaxDefault = 4096;

/**
 * Refuses Events that come too often: of all, or of a namespace, a user, or a source with its object.
 * Errors: when the configuration is none. Source: plugin/pkg/admission/eventratelimit.
 */
export function eventRateLimit(configuration: PluginConfiguration | undefined, clock: Clock): AdmissionPlugin {
  const enforcers = limitsOf(configuration).map((limit) => enforcerOf(limit, clock));
  return {
    name: "EventRateLimit",
    handles: ({ operation, call }) => (operation === "CREATE" || operation === "UPDATE") && !isDryRun(call),
    validate(request) {
      const { group, kind: asked } = requestKind(request);
      if (group !== "" || asked !== "Event") return;
      // Each limit counts the Event, also one that another limit refuses; the last refusal is told.
      const refusals = enforcers.flatMap((accept) => accept(request) ?? []);
      const refusal = refusals.at(-1);
      if (refusal !== undefined) throw failure("TooManyRequests", { message: `Too many requests: ${refusal}` });
    },
  };
}

function limitsOf(configuration: PluginConfiguration | undefined): readonly Limit[] {
  const accepts = { apiVersions: ["eventratelimit.admission.k8s.io/v1alpha1"], kind: "Configuration" };
  const limits =
    configuration === undefined
      ? []
      : decodeConfiguration<Infer<typeof ConfigurationSchema>>(configuration, ConfigurationSchema, accepts).limits;
  const errors = limits.length === 0 ? [invalid("limits", limits, "must not be empty")] : limits.flatMap(problemsOf);
  if (errors.length > 0) throw new Error(fieldErrorsText(errors));
  return limits;
}

/** Source: eventratelimit/apis/eventratelimit/validation. */
function problemsOf({ type, qps, burst, cacheSize = 0 }: Limit, index: number): FieldError[] {
  const path = `limits[${index}]`;
  return [
    ...(limitTypes.some((known) => known === type) ? [] : [notSupported(`${path}.type`, type, limitTypes)]),
    ...(burst > 0 ? [] : [invalid(`${path}.burst`, burst, "must be positive")]),
    ...(qps > 0 ? [] : [invalid(`${path}.qps`, qps, "must be positive")]),
    ...(type === "Server" || cacheSize >= 0 ? [] : [invalid(`${path}.cacheSize`, cacheSize, "must not be negative")]),
  ];
}

/** Takes a token for a request, or tells what was reached. */
function enforcerOf({ type, qps, burst, cacheSize }: Limit, clock: Clock): (request: AdmissionRequest) => string | undefined {
  const bucketsMax = type === "Server" ? 1 : cacheSize || bucketsMaxDefault;
  // In the order of use: the first was unused longest.
  const buckets = new Map<string, TokenBucket>();
  return (request) => {
    const key = keyOf(type, request);
    const bucket = buckets.get(key) ?? createTokenBucket({ qps, burst }, clock);
    buckets.delete(key);
    buckets.set(key, bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > bucketsMax && oldest !== undefined) buckets.delete(oldest);
    return bucket.take() === 0 ? undefined : `limit reached on type ${type} for key ${key}`;
  };
}

function keyOf(type: string, { call, object }: AdmissionRequest): string {
  if (type === "Namespace") return call.namespace;
  if (type === "User") return call.user.name;
  if (type !== "SourceAndObject") return "";
  const { source, involvedObject: about } = object as Event;
  return [
    source?.component,
    source?.host,
    about?.kind,
    about?.namespace,
    about?.name,
    about?.uid,
    about?.apiVersion,
  ].join("");
}
