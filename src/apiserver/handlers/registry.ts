import { bindings, podBinding } from "./binding.ts";
import type { Handler } from "./handler.ts";

/** Handlers of subresources and virtual resources, by the names that `src/api` gives them. */
export const handlers: ReadonlyMap<string, Handler> = new Map([
  ["bindings", bindings],
  ["pods/binding", podBinding],
]);
