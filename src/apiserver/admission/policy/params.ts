import type { ParamKind, ParamRef } from "#api/admissionregistration/v1/policy-matching.ts";
import { apiVersionOf, type KubeObject } from "#apimachinery/object.ts";
import { labelSelectorOf } from "#apimachinery/selectors.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import type { ApiTable } from "../../api-table.ts";
import type { Endpoint } from "../../call.ts";
import { fromHub } from "../../rest/rest.ts";
import { codecOf } from "../../storage/codec.ts";

/** A binding or policy that cannot be used as it is; the failure policy decides. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** The endpoint of a policy's params. Errors: `ConfigurationError` when there is no such kind. */
export function paramEndpoint(
  table: ApiTable,
  { apiVersion = "", kind = "" }: ParamKind,
): Endpoint {
  for (const endpoint of table.endpoints()) {
    const { definition } = endpoint;
    const same =
      definition.kind === kind && apiVersionOf(definition.group, definition.version) === apiVersion;
    if (same && definition.handler === undefined) return endpoint;
  }
  const shown = `&ParamKind{APIVersion:${apiVersion},Kind:${kind},}`;
  throw new ConfigurationError(`failed to find resource referenced by paramKind: '${shown}'`);
}

export interface ParamsWanted {
  readonly endpoint: Endpoint | undefined;
  readonly reference: ParamRef | undefined;
  /** Of the request. */
  readonly namespace: string;
}

/**
 * What a policy runs with, once for each: null where it takes no params. Empty: nothing is there,
 * which the binding allows. Errors: `ConfigurationError`. Source: policy/generic CollectParams.
 */
export async function collectParams({
  endpoint,
  reference,
  namespace,
}: ParamsWanted): Promise<readonly (KubeObject | null)[]> {
  if (endpoint === undefined || reference === undefined) return [null];
  const place = placeOf(endpoint, reference, namespace);
  const { name = "", selector, parameterNotFoundAction } = reference;
  if (name === "" && selector === undefined)
    throw new ConfigurationError("one of name or selector must be provided");
  const found =
    name === "" ? await select(endpoint, reference, place) : await read(endpoint, place, name);
  if (found.length === 0 && parameterNotFoundAction === "Deny") {
    throw new ConfigurationError(
      "no params found for policy binding with `Deny` parameterNotFoundAction",
    );
  }
  return found.map((object) => wireParam(endpoint, object));
}

function placeOf({ definition }: Endpoint, reference: ParamRef, namespace: string): string {
  if (definition.scope === "Cluster") {
    if (!reference.namespace) return "";
    throw new ConfigurationError(
      `paramRef.namespace must not be provided for a cluster-scoped ${goQuote("paramKind").replaceAll('"', "`")}`,
    );
  }
  const place = reference.namespace || namespace;
  if (place !== "") return place;
  throw new ConfigurationError(
    "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
  );
}

async function read({ storage }: Endpoint, namespace: string, name: string): Promise<KubeObject[]> {
  const stored = await storage.find(storage.keyOf(namespace, name));
  return stored === undefined ? [] : [stored.entry.object];
}

async function select(
  { storage }: Endpoint,
  { selector }: ParamRef,
  namespace: string,
): Promise<KubeObject[]> {
  const prefix = namespace === "" ? storage.prefix : storage.keyOf(namespace, "");
  const { entries } = await storage.range(storage.rangeOf(prefix));
  const parsed = labelSelectorOf(selector);
  return entries
    .map((kv) => storage.entries.of(kv).object)
    .filter(({ metadata }) => parsed.matches(metadata?.labels ?? {}));
}

function wireParam(endpoint: Endpoint, object: KubeObject): KubeObject {
  const bytes = codecOf(endpoint.definition).encode(fromHub(endpoint, object));
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as KubeObject;
}
