import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { isExempt } from "../matching/rules.ts";
import type { AdmissionRequest } from "../request.ts";
import { askWebhook, denial, failedClosed, FailedWebhook } from "./call-webhook.ts";
import { type Hook, hooksOf, type WebhookContext, wantedVersion } from "./hooks.ts";

/**
 * Asks all ValidatingWebhooks that want to be asked, at the same time; of several refusals the one
 * that came first is told. Source: admission/plugin/webhook/validating.
 */
export function validatingAdmissionWebhook(context: WebhookContext): AdmissionPlugin {
  const hooks = hooksOf(context.configurations);
  return {
    name: "ValidatingAdmissionWebhook",
    handles: (request) => hooks().length > 0 && !isExempt(request),
    async validate(request) {
      const wanted: { hook: Hook; definition: ResourceDefinition }[] = [];
      for (const hook of hooks()) {
        const definition = await wantedVersion(hook, request, context);
        if (definition !== undefined) wanted.push({ hook, definition });
      }
      const refusals: unknown[] = [];
      await Promise.all(
        wanted.map(({ hook, definition }, index) =>
          ask(hook, request, { context, definition, index }).catch(
            (error: unknown) => void refusals.push(error),
          ),
        ),
      );
      if (refusals.length > 0) throw refusals[0];
    },
  };
}

async function ask(
  hook: Hook,
  request: AdmissionRequest,
  spec: {
    readonly context: WebhookContext;
    readonly definition: ResourceDefinition;
    readonly index: number;
  },
): Promise<void> {
  const { name, failurePolicy } = hook.webhook;
  try {
    const verdict = await askWebhook(hook, request, { ...spec, mutating: false });
    if (!verdict.allowed) throw denial(name, verdict);
  } catch (error) {
    if (!(error instanceof FailedWebhook)) throw error;
    if (failurePolicy !== "Ignore") throw failedClosed(error);
    const key = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${spec.index}`;
    request.call.annotate?.(key, name);
  }
}
