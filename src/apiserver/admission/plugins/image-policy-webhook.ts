import type { Pod } from "#api/core/v1/pod.ts";
import { createBackoff } from "#base/backoff.ts";
import type { Clock } from "#base/clock.ts";
import { errorMessage } from "#base/error-message.ts";
import type { HttpClient } from "#base/http.ts";
import type { Random } from "#base/random.ts";
import { formatDuration } from "#apimachinery/go-duration.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import { parseJson } from "#wire/json.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { PluginConfiguration } from "../configuration.ts";
import { forbid, isAbout } from "../request.ts";

/** Verdicts that are remembered; the one unused longest goes first. Source: imagepolicy/admission.go. */
export const imageVerdictsMax = 1024;
/** Longest answer of the webhook. */
const answerBytesMax = 1024 * 1024;
const answerMs = 30_000;
/** Source: util/webhook DefaultRetryBackoffWithInitialDelay. */
const triesMax = 5;
const annotationPrefix = "imagepolicywebhook.image-policy.k8s.io/";

export interface ImagePolicyConfiguration {
  /** How to reach the webhook: a kubeconfig. */
  readonly kubeConfigFile: string;
  /** How long a verdict is remembered; 0 for not at all. */
  readonly allowMs: number;
  readonly denyMs: number;
  /** Wait before a call that failed is tried again. */
  readonly retryMs: number;
  /** Whether Pods are let in while the webhook cannot be asked. */
  readonly defaultAllow: boolean;
}

/** Errors: upstream's texts. Source: imagepolicy/config.go. */
export function imagePolicyConfiguration(configuration: PluginConfiguration | undefined): ImagePolicyConfiguration {
  const policy = configuration?.value["imagePolicy"];
  if (!isJsonMap(policy)) throw new Error("no config specified");
  const minute = 60_000;
  return {
    kubeConfigFile: String(policy["kubeConfigFile"] ?? ""),
    retryMs: durationOf(policy["retryBackoff"], { scaleMs: 1, minMs: 1e-6, maxMs: 5 * minute, defaultMs: 500 }),
    allowMs: durationOf(policy["allowTTL"], { scaleMs: 1000, minMs: 1000, maxMs: 30 * minute, defaultMs: 5 * minute }),
    denyMs: durationOf(policy["denyTTL"], { scaleMs: 1000, minMs: 1000, maxMs: 30 * minute, defaultMs: 30_000 }),
    defaultAllow: policy["defaultAllow"] === true,
  };
}

interface DurationRule {
  readonly scaleMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly defaultMs: number;
}

/** A count of units: -1 for none, 0 for the default. */
function durationOf(count: unknown, { scaleMs, minMs, maxMs, defaultMs }: DurationRule): number {
  if (count === -1) return 0;
  if (count === undefined || count === null || count === 0) return defaultMs;
  const ms = Number(count) * scaleMs;
  if (ms > minMs && ms <= maxMs) return ms;
  const shown = (value: number): string => formatDuration(BigInt(Math.round(value * 1e6)));
  if (Number.isNaN(ms)) throw new Error(`${JSON.stringify(count)} is no number`);
  throw new Error(`valid value is between ${shown(minMs)} and ${shown(maxMs)}, got ${shown(ms)}`);
}

export interface ImagePolicyOptions {
  readonly configuration: ImagePolicyConfiguration;
  readonly http: HttpClient;
  /** Where to post to. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
}

interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** Asks a webhook about the images of a Pod. Source: plugin/pkg/admission/imagepolicy. */
export function imagePolicyWebhook(options: ImagePolicyOptions): AdmissionPlugin {
  const { configuration } = options;
  const verdicts = rememberedVerdicts(options);
  return {
    name: "ImagePolicyWebhook",
    handles: (request) =>
      (request.operation === "CREATE" || request.operation === "UPDATE") &&
      (isAbout(request, "", "pods") || isAbout(request, "", "pods", "ephemeralcontainers")),
    async validate(request) {
      const spec = reviewSpec(request);
      const key = JSON.stringify(spec);
      let verdict = verdicts.get(key);
      if (verdict === undefined) {
        try {
          verdict = await ask(options, spec, request.call.signal);
        } catch (error) {
          if (!configuration.defaultAllow) throw forbid(request, error as Error);
          request.call.annotate?.(`${annotationPrefix}failed-open`, "true");
          return;
        }
        verdicts.set(key, verdict);
      }
      for (const [name, value] of Object.entries(verdict.auditAnnotations)) request.call.annotate?.(annotationPrefix + name, value);
      if (verdict.allowed) return;
      const { reason } = verdict;
      const denied = `image policy webhook backend denied one or more images: ${reason}`;
      throw forbid(request, reason === "" ? "one or more images rejected by webhook backend" : denied);
    },
  };
}

/** In the order of upstream's members: the webhook's cache key is this text. */
function reviewSpec({ call, object }: AdmissionRequest): object {
  const { metadata, spec } = object as Pod;
  const containers =
    call.subresource === "" ? [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])] : (spec?.ephemeralContainers ?? []);
  const annotations = Object.entries(metadata?.annotations ?? {}).filter(([key]) => key.includes(".image-policy.k8s.io/"));
  return {
    ...(containers.length > 0 && { containers: containers.map(({ image }) => ({ ...(image && { image }) })) }),
    ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
    ...(call.namespace !== "" && { namespace: call.namespace }),
  };
}

function rememberedVerdicts({ configuration, clock }: ImagePolicyOptions): {
  get(key: string): Verdict | undefined;
  set(key: string, verdict: Verdict): void;
} {
  // In the order of use: the first was unused longest.
  const entries = new Map<string, { readonly verdict: Verdict; readonly endMs: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (clock.monotonicMs() >= entry.endMs) return undefined;
      entries.set(key, entry);
      return entry.verdict;
    },
    set(key, verdict) {
      const keptMs = verdict.allowed ? configuration.allowMs : configuration.denyMs;
      entries.set(key, { verdict, endMs: clock.monotonicMs() + keptMs });
      const [oldest] = entries.keys();
      if (entries.size > imageVerdictsMax && oldest !== undefined) entries.delete(oldest);
    },
  };
}

/** Errors: when the webhook has no answer, after some tries. */
async function ask(options: ImagePolicyOptions, spec: object, signal: AbortSignal): Promise<Verdict> {
  const { http, path, clock, random, configuration } = options;
  const review = { kind: "ImageReview", apiVersion: "imagepolicy.k8s.io/v1alpha1", metadata: {}, spec, status: { allowed: false } };
  const body = JSON.stringify(review);
  const headers = { "content-type": "application/json", accept: "application/json, */*" };
  const backoff = createBackoff({ initialMs: configuration.retryMs, factor: 1.5, jitter: 0.2 }, random);
  for (let tries = 1; ; tries++) {
    const response = await http.request({ method: "POST", path, headers, body, timeoutMs: answerMs, signal });
    const text = Buffer.from(await response.readAll(answerBytesMax)).toString("utf8");
    const { status } = response;
    if (status >= 200 && status < 300) return verdictOf(text);
    const isTransient = status === 429 || status === 500 || status === 504 || response.headers["retry-after"] !== undefined;
    if (!isTransient || tries === triesMax) throw new Error(`Error contacting webhook: ${status}`);
    await clock.sleep(backoff.nextMs(), signal);
  }
}

function verdictOf(text: string): Verdict {
  let review: unknown;
  try {
    review = parseJson(Buffer.from(text));
  } catch (error) {
    throw new Error(`couldn't get version/kind; json parse error: ${errorMessage(error)}`, { cause: error });
  }
  const status = isJsonMap(review) ? review["status"] : undefined;
  if (!isJsonMap(status)) return { allowed: false, reason: "", auditAnnotations: {} };
  const { allowed, reason, auditAnnotations } = status;
  const annotations = isJsonMap(auditAnnotations) ? Object.entries(auditAnnotations) : [];
  return {
    allowed: allowed === true,
    reason: typeof reason === "string" ? reason : "",
    auditAnnotations: Object.fromEntries(annotations.map(([name, value]) => [name, String(value)])),
  };
}
