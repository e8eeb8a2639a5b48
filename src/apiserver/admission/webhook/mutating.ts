import { deepEqual } from "#apimachinery/deep-equal.ts";
import { decodeJsonPatch, type JsonPatchOperation } from "#apimachinery/json-patch.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import { internal } from "#apimachinery/status.ts";
import { parseJson } from "#wire/json.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { isExempt } from "../matching/rules.ts";
import { patchedValue, withWireObject } from "../mutation.ts";
import { beginPass } from "../reinvocation.ts";
import { type AdmissionRequest, wireObject } from "../request.ts";
import { customInVersion, inVersion } from "../versions.ts";
import { askWebhook, denial, failedClosed, FailedWebhook } from "./call-webhook.ts";
import { type Hook, hooksOf, type WebhookContext, wantedVersion } from "./hooks.ts";

const name = "MutatingAdmissionWebhook";

/**
 * Asks MutatingWebhooks one after the other, each sees what those before it changed.
 * Source: admission/plugin/webhook/mutating.
 */
export function mutatingAdmissionWebhook(context: WebhookContext): AdmissionPlugin {
  const hooks = hooksOf(context.configurations);
  return {
    name,
    handles: (request) => hooks().length > 0 && !isExempt(request),
    async mutate(request) {
      const pass = beginPass(name, request);
      const round = request.passes?.again === true ? 1 : 0;
      let current = request;
      for (const [index, hook] of hooks().entries()) {
        if (!pass.isDue(hook.id)) continue;
        const definition = await wantedVersion(hook, current, context);
        if (definition === undefined) continue;
        const object = await ask(hook, current, { context, definition, round, index });
        if (object !== undefined) current = { ...current, object };
        pass.ran(hook.id, { changed: object !== undefined, ifNeeded: hook.webhook.reinvocationPolicy === "IfNeeded" });
      }
      pass.end(current.object);
      return current.object;
    },
  };
}

interface Round {
  readonly context: WebhookContext;
  readonly definition: ResourceDefinition;
  readonly round: number;
  readonly index: number;
}

/** The object as the webhook changed it; undefined when it did not. */
async function ask(
  hook: Hook,
  request: AdmissionRequest,
  round: Round,
): Promise<KubeObject | undefined> {
  const { webhook } = hook;
  const suffix = `round_${round.round}_index_${round.index}`;
  let changed: KubeObject | undefined;
  try {
    const verdict = await askWebhook(hook, request, { ...round, mutating: true });
    if (!verdict.allowed) throw denial(webhook.name, verdict);
    if (verdict.patch !== undefined) changed = await patched(hook, request, { ...round, verdict });
  } catch (error) {
    if (!(error instanceof FailedWebhook)) throw error;
    if (webhook.failurePolicy !== "Ignore") throw failedClosed(error);
    request.call.annotate?.(
      `failed-open.mutation.webhook.admission.k8s.io/${suffix}`,
      webhook.name,
    );
  }
  const mutated = changed !== undefined;
  const value = { configuration: hook.configuration, webhook: webhook.name, mutated };
  request.call.annotate?.(`mutation.webhook.admission.k8s.io/${suffix}`, JSON.stringify(value));
  return changed;
}

interface Patching extends Round {
  readonly verdict: { readonly patch?: string; readonly patchType?: string };
}

async function patched(
  { webhook }: Hook,
  request: AdmissionRequest,
  { definition, verdict }: Patching,
): Promise<KubeObject | undefined> {
  const operations = operationsOf(webhook.name, verdict.patch ?? "");
  if (operations.length === 0) return undefined;
  if (request.object === undefined) {
    const what = "attempted to modify the object, which is not supported for this operation";
    throw internal(`admission webhook ${JSON.stringify(webhook.name)} ${what}`);
  }
  if (verdict.patchType !== "JSONPatch") {
    throw new FailedWebhook(
      webhook.name,
      `unsupported patch type ${JSON.stringify(verdict.patchType)}`,
    );
  }
  const seen = await inVersion(request, definition);
  const before = wireObject(seen, seen.object, definition);
  let after: unknown;
  try {
    after = patchedValue(before, operations);
  } catch (error) {
    throw internal((error as Error).message);
  }
  const object = withWireObject(seen, after, definition);
  if (deepEqual(before, wireObject({ ...seen, object }, object, definition))) return undefined;
  return customInVersion(object, definition, request.call.definition);
}

function operationsOf(webhook: string, patch: string): JsonPatchOperation[] {
  try {
    return decodeJsonPatch(parseJson(Buffer.from(patch)), false);
  } catch (error) {
    throw new FailedWebhook(
      webhook,
      `received undecodable patch in webhook response: ${(error as Error).message}`,
    );
  }
}
