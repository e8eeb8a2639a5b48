import type { HttpExchange } from "#base/http.ts";
import { at } from "./api.ts";
import type { Thing } from "./encoding.ts";
import { type ExtensionServer, serveExtension } from "./extension-server.ts";

/** What a webhook is asked. */
export interface Asked {
  readonly uid: string;
  readonly operation: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly resource: { readonly resource: string };
  readonly subResource?: string;
  readonly object: Thing | null;
  readonly oldObject: Thing | null;
}

interface Answer {
  readonly deny?: string;
  readonly patch?: readonly object[];
}

type Hook = (asked: Asked) => Answer | Promise<Answer>;

const admit: Answer = {};

/** A stage adds a member to `data` once the member before it is there. */
function nextStage(object: unknown): Answer {
  const data = (at(object, "data") ?? {}) as Record<string, string>;
  const add = (name: string): Answer => ({ patch: [{ op: "add", path: `/data/${name}`, value: "yes" }] });
  if (data["mutation-start"] === "yes" && data["mutation-stage-1"] !== "yes") return add("mutation-stage-1");
  if (data["mutation-stage-1"] === "yes" && data["mutation-stage-2"] !== "yes") return add("mutation-stage-2");
  return admit;
}

function denyUnwantedData({ object, oldObject, operation }: Asked): Answer {
  const data = at(operation === "DELETE" ? oldObject : object, "data") as Record<string, string> | undefined;
  const unwanted = operation === "DELETE" ? "webhook-nondeletable" : "webhook-disallow";
  return data?.["webhook-e2e-test"] === unwanted ? { deny: "the configmap contains unwanted key and value" } : admit;
}

const paths: Readonly<Record<string, Hook>> = {
  "/pods": ({ object }) => {
    const problems: string[] = [];
    const containers = (at(object, "spec", "containers") ?? []) as { readonly name: string }[];
    if (containers.some(({ name }) => name.includes("webhook-disallow"))) problems.push("the pod contains unwanted container name; ");
    if (object?.metadata.labels?.["webhook-e2e-test"] === "webhook-disallow") problems.push("the pod contains unwanted label; ");
    return problems.length === 0 ? admit : { deny: problems.join("") };
  },
  "/pods/attach": ({ name }) =>
    name === "to-be-attached-pod" ? { deny: "attaching to pod 'to-be-attached-pod' is not allowed" } : admit,
  "/mutating-pods": ({ object }) => {
    if (object?.metadata.name !== "webhook-to-be-mutated") return admit;
    const value = [{ image: "webhook-added-image", name: "webhook-added-init-container", resources: {} }];
    return { patch: [{ op: "add", path: "/spec/initContainers", value }] };
  },
  "/configmaps": denyUnwantedData,
  "/custom-resource": denyUnwantedData,
  "/mutating-configmaps": ({ object }) => nextStage(object),
  "/mutating-custom-resource": ({ object }) => nextStage(object),
  "/crd": ({ object }) =>
    object?.metadata.labels?.["webhook-e2e-test"] === "webhook-disallow" ? { deny: "the crd contains unwanted label" } : admit,
  "/always-deny": () => ({ deny: "this webhook denies all requests" }),
  "/add-label": ({ object }) => {
    const labels = object?.metadata.labels;
    const added = { "added-label": "yes" };
    if (labels === undefined) return { patch: [{ op: "add", path: "/metadata/labels", value: added }] };
    return { patch: [{ op: "add", path: "/metadata/labels/added-label", value: "yes" }] };
  },
};

/** Webhooks of the suite's test server, by path. */
export interface Hooks extends ExtensionServer {
  /** What `/hold` was asked and has not answered: call it to admit. */
  held(): Promise<() => void>;
}

export async function serveHooks(): Promise<Hooks> {
  let arrival = Promise.withResolvers<() => void>();
  const hold = (exchange: HttpExchange): Promise<Answer> =>
    new Promise((resolve) => {
      arrival.resolve(() => resolve(admit));
      exchange.signal.addEventListener("abort", () => resolve(admit));
    });
  const server = await serveExtension(async (exchange) => {
    const path = exchange.url.split("?")[0] ?? "";
    const review = JSON.parse(Buffer.from(await exchange.readBody(1 << 24)).toString("utf8")) as { apiVersion: string; request: Asked };
    const { uid } = review.request;
    const answer = await (path === "/hold" ? hold(exchange) : paths[path]?.(review.request));
    if (exchange.signal.aborted) return;
    if (answer === undefined) return exchange.respond(404, {});
    const { deny, patch } = answer;
    const response = {
      uid,
      allowed: deny === undefined,
      ...(deny !== undefined && { status: { message: deny } }),
      ...(patch && { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") }),
    };
    const body = JSON.stringify({ kind: "AdmissionReview", apiVersion: review.apiVersion, response });
    exchange.respond(200, { "content-type": "application/json" }, body);
  });
  return {
    ...server,
    async held() {
      const release = await arrival.promise;
      arrival = Promise.withResolvers();
      return release;
    },
  };
}
