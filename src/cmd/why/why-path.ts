import type { PathHandler } from "#apiserver/http/frontend.ts";
import type { Client } from "#client/client.ts";
import { type AttemptOf, whyPod } from "./why.ts";

/** `/debug/why/namespaces/NAMESPACE/pods/NAME`; whoever may get that path is told all of it. */
const pattern = /^\/debug\/why\/namespaces\/([^/]+)\/pods\/([^/]+)$/;

export function whyPath(options: {
  /** Undefined before the server is there. */
  readonly client: () => Client | undefined;
  /** Undefined where no scheduler runs. */
  readonly attemptOf: () => AttemptOf | undefined;
}): PathHandler {
  return async ({ exchange, path }) => {
    const [, namespace, name] = pattern.exec(path) ?? [];
    const client = options.client();
    if (namespace === undefined || name === undefined || client === undefined) return false;
    const spec = { namespace: decodeURIComponent(namespace), name: decodeURIComponent(name), attemptOf: options.attemptOf() };
    const answer = await whyPod(client, spec);
    exchange.respond(200, { "content-type": "application/json" }, `${JSON.stringify(answer, undefined, 1)}\n`);
    return true;
  };
}
