import type { CustomResourceDefinition } from "#api/apiextensions/v1/custom-resource-definition.ts";
import type { Logger } from "#base/log.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Client } from "#client/client.ts";
import type { Call } from "../call.ts";
import type { WriteFinisher, WriteHooks } from "../rest/rest.ts";
import type { ServerParts } from "../server.ts";
import { type CrdController, startCrdController } from "./crd-controller.ts";
import { readDefinitionsLazily } from "./definition-codec.ts";
import { serveCustomResources } from "./custom-resources.ts";
import type { WebhookConversionOptions } from "./webhook-conversion.ts";

export interface ExtensionsOptions extends WebhookConversionOptions {
  /** Acts as the server itself; there once the server is put together. */
  readonly client: () => Client;
  readonly log: Logger;
}

export interface Extensions extends Disposable {
  /** By `group/plural`. */
  readonly hooks: ReadonlyMap<string, WriteHooks>;
  /** Begins to write status; the server answers calls by now. */
  start(): void;
}

/** Serves custom resources, and looks after their definitions. Made before live sets are loaded. */
export function createExtensions(parts: ServerParts, { client, log, ...conversion }: ExtensionsOptions): Extensions {
  readDefinitionsLazily();
  const crds = parts.live<CustomResourceDefinition>("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  const resources = new DisposableStack();
  resources.defer(() => void conversion.webhooks[Symbol.asyncDispose]());
  resources.use(serveCustomResources(parts.table, crds, { ...conversion, clock: parts.clock }));
  let controller: CrdController | undefined;

  /** Whoever made a definition may use it when the answer is there. */
  const settle = (object: KubeObject, call: Call): WriteFinisher | undefined => {
    const { name = "" } = object.metadata ?? {};
    if (call.subresource !== "" || name === "") return undefined;
    return (succeeded) => (succeeded ? controller?.settled(name) : undefined);
  };
  const definitions: WriteHooks = {
    beginCreate: (object, call) => Promise.resolve(settle(object, call)),
    beginUpdate: (object, _old, call) => Promise.resolve(settle(object, call)),
  };
  return {
    hooks: new Map([["apiextensions.k8s.io/customresourcedefinitions", definitions]]),
    start() {
      controller = resources.use(startCrdController({ crds, client, clock: parts.clock, log }));
    },
    [Symbol.dispose]: () => resources.dispose(),
  };
}
