import { createHash } from "node:crypto";
import { refTo, type Json, sorted } from "./definitions.ts";
import { DeleteOptions } from "../meta/options.ts";
import { patchDefinition } from "./operations.ts";

/** Parameters that clients look for in place, so that they are never moved away. */
const neverShared: ReadonlySet<unknown> = new Set(["dryRun", "fieldValidation"]);
const sharedBodies: ReadonlySet<unknown> = new Set([
  refTo(2, DeleteOptions.name),
  refTo(2, patchDefinition),
]);

/**
 * Moves parameters that many operations have to the document's `parameters`: v2 only. Returns the
 * paths with references in their place. Fragments are shared, so nothing is changed in place.
 */
export function shareParameters(paths: Json): { paths: Json; parameters: Json } {
  const parameters: Json = {};
  const names = new Map<string, string>();
  const share = (list: unknown): unknown =>
    Array.isArray(list)
      ? list.map((each: Json) => (isShared(each) ? reference(each, names, parameters) : each))
      : list;
  const shared: Json = {};
  for (const [path, item] of Object.entries(paths)) {
    const copy: Json = { ...(item as Json) };
    for (const [key, value] of Object.entries(copy)) {
      if (key === "parameters") copy[key] = share(value);
      else {
        const operation = value as Json;
        if (operation["parameters"] !== undefined) {
          copy[key] = { ...operation, parameters: share(operation["parameters"]) };
        }
      }
    }
    shared[path] = copy;
  }
  return { paths: shared, parameters: sorted(parameters) };
}

function isShared(parameter: Json): boolean {
  if (parameter["in"] === "body") {
    return sharedBodies.has((parameter["schema"] as Json)["$ref"]);
  }
  if (parameter["in"] === "path" && parameter["name"] === "name") return false;
  return !neverShared.has(parameter["name"]);
}

function reference(parameter: Json, names: Map<string, string>, parameters: Json): Json {
  const text = JSON.stringify(parameter);
  let name = names.get(text);
  if (name === undefined) {
    const hash = createHash("sha256").update(text).digest("base64url").slice(0, 8);
    name = `${String(parameter["name"])}-${hash}`;
    names.set(text, name);
    parameters[name] = parameter;
  }
  return { $ref: `#/parameters/${name}` };
}
