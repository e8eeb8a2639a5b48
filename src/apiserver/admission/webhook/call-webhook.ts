import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { badRequest, internal, type Status, StatusError, timeout } from "#apimachinery/status.ts";
import { isDryRun } from "../../call.ts";
import { isCallFailure } from "../../webhooks/webhook-client.ts";
import type { AdmissionRequest } from "../request.ts";
import { inVersion } from "../versions.ts";
import type { Hook, WebhookContext } from "./hooks.ts";
import { createReview, readVerdict, ReviewError, type Verdict } from "./review.ts";

const timeoutSecondsDefault = 10;

/** A webhook that could not be asked; its failure policy decides what that means. */
export class FailedWebhook extends Error {
  override readonly name = "FailedWebhook";

  constructor(webhook: string, why: string) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${why}`);
  }
}

interface Asking {
  readonly context: WebhookContext;
  readonly definition: ResourceDefinition;
  readonly mutating: boolean;
}

/**
 * Asks one webhook. Errors: `FailedWebhook`, or a `StatusError` when the request itself is over.
 */
export async function askWebhook(hook: Hook, request: AdmissionRequest, spec: Asking): Promise<Verdict> {
  const { clock, observe } = spec.context;
  const { name, failurePolicy } = hook.webhook;
  const startedMs = clock.monotonicMs();
  let isRefused = true;
  try {
    const verdict = await ask(hook, request, spec);
    isRefused = !verdict.allowed;
    return verdict;
  } catch (error) {
    isRefused = !(error instanceof FailedWebhook) || failurePolicy !== "Ignore";
    throw error;
  } finally {
    const seconds = (clock.monotonicMs() - startedMs) / 1000;
    observe({ name, mutating: spec.mutating, operation: request.operation, isRefused, seconds });
  }
}

async function ask({ webhook }: Hook, request: AdmissionRequest, { context, definition, mutating }: Asking): Promise<Verdict> {
  refuseSideEffects(webhook, request);
  const review = createReview(await inVersion(request, definition), {
    definition,
    uid: context.random.uuid(),
    versions: webhook.admissionReviewVersions,
  });
  if (review === undefined) {
    const why = "webhook does not accept known AdmissionReview versions (v1, v1beta1)";
    throw new FailedWebhook(webhook.name, `could not create admission objects: ${why}`);
  }
  const timeoutMs = (webhook.timeoutSeconds ?? timeoutSecondsDefault) * 1000;
  const { signal } = request.call;
  try {
    const answer = await context.clients.post(webhook.clientConfig, {
      body: review.body,
      timeoutMs,
      signal,
    });
    const verdict = readVerdict(answer, review, mutating);
    report(webhook.name, request, verdict);
    return verdict;
  } catch (error) {
    if (error instanceof ReviewError) {
      throw new FailedWebhook(webhook.name, `received invalid webhook response: ${error.message}`);
    }
    if (isCallFailure(error))
      throw new FailedWebhook(webhook.name, `failed to call webhook: ${error.message}`);
    if (signal.aborted) throw timeout("request did not complete within requested timeout");
    throw error;
  }
}

function refuseSideEffects(
  { name, sideEffects }: Hook["webhook"],
  { call }: AdmissionRequest,
): void {
  if (!isDryRun(call)) return;
  if (sideEffects === undefined || sideEffects === null) {
    throw new FailedWebhook(name, "Webhook SideEffects is nil");
  }
  if (sideEffects === "None" || sideEffects === "NoneOnDryRun") return;
  throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`);
}

function report(webhook: string, { call }: AdmissionRequest, verdict: Verdict): void {
  for (const [key, value] of Object.entries(verdict.auditAnnotations ?? {})) {
    call.annotate?.(`${webhook}/${key}`, value);
  }
  for (const warning of verdict.warnings ?? []) call.warn(warning);
}

/** The refusal of a webhook as the client gets it. Source: webhook/errors ToStatusErr. */
export function denial(webhook: string, { status }: Verdict): StatusError {
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const found = (status ?? {}) as Status;
  const why = found.message || found.reason || "";
  const code = typeof found.code === "number" && found.code >= 400 ? found.code : 400;
  const failed = found.status !== undefined && found.status !== "" && found.status !== "Success";
  return new StatusError({
    ...found,
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: failed ? found.status : "Failure",
    message: why === "" ? `${by} without explanation` : `${by}: ${why}`,
    code,
  });
}

/** What a webhook that fails closed does to the request. */
export function failedClosed(error: FailedWebhook): StatusError {
  return internal(error.message, undefined);
}
