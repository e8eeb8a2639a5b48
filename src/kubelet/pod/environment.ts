import type { ConfigMap } from "#api/core/v1/config-map.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { EnvFromSource, EnvVarSource } from "#api/core/v1/env.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { Secret } from "#api/core/v1/secret.ts";
import { getOwn } from "#apimachinery/maps.ts";
import { expand } from "./expand.ts";
import { type FieldContext, fieldValue, resourceFieldValue } from "./field-ref.ts";

/** Objects that a Pod refers to, as the node knows them; undefined when they do not exist. */
export interface PodObjects {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly objects: PodObjects;
  readonly serviceEnv: ReadonlyMap<string, string>;
  readonly fields: FieldContext;
}

export interface Environment {
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  /** For `$(NAME)` in command and args. */
  readonly lookup: (name: string) => string | undefined;
  /** One for each source with keys that are no variable names: upstream's event text. */
  readonly warnings: readonly string[];
}

/** Rejects with upstream's text when a source that is not optional is missing. */
export async function environmentOf(input: EnvironmentInput): Promise<Environment> {
  const { pod, container, serviceEnv } = input;
  const variables: { name: string; value: string }[] = [];
  const own = new Map<string, string>();
  const warnings: string[] = [];
  const lookup = (name: string): string | undefined => own.get(name) ?? serviceEnv.get(name);
  const set = (name: string, value: string): void => {
    own.set(name, value);
    variables.push({ name, value });
  };

  for (const source of container.envFrom ?? []) {
    const { entries, origin } = await sourceEntries(source, input);
    const invalid: string[] = [];
    for (const [key, value] of entries) {
      const name = `${source.prefix ?? ""}${key}`;
      if (isVariableName(name)) set(name, value);
      else invalid.push(name);
    }
    if (invalid.length > 0) {
      const { namespace = "" } = pod.metadata ?? {};
      warnings.push(
        `Keys [${invalid.toSorted().join(", ")}] from the EnvFrom ${origin.kind} ` +
          `${namespace}/${origin.name} were skipped since they are considered invalid environment variable names.`,
      );
    }
  }
  for (const { name, value = "", valueFrom } of container.env ?? []) {
    if (value !== "" || valueFrom === undefined) set(name, expand(value, lookup));
    else {
      const read = await readSource(valueFrom, input);
      if (read !== undefined) set(name, read);
    }
  }
  for (const [name, value] of serviceEnv) if (!own.has(name)) variables.push({ name, value });
  return { variables, lookup, warnings };
}

interface SourceEntries {
  readonly entries: readonly (readonly [key: string, value: string])[];
  readonly origin: { readonly kind: string; readonly name: string };
}

async function sourceEntries(
  source: EnvFromSource,
  input: EnvironmentInput,
): Promise<SourceEntries> {
  const namespace = input.pod.metadata?.namespace ?? "";
  if (source.configMapRef !== undefined) {
    const { name = "", optional } = source.configMapRef;
    const found = await input.objects.configMap(namespace, name);
    if (found === undefined && optional !== true)
      throw new Error(`configmap ${JSON.stringify(name)} not found`);
    return { entries: Object.entries(found?.data ?? {}), origin: { kind: "configMap", name } };
  }
  const { name = "", optional } = source.secretRef ?? {};
  const found = await input.objects.secret(namespace, name);
  if (found === undefined && optional !== true)
    throw new Error(`secret ${JSON.stringify(name)} not found`);
  const entries = Object.entries(found?.data ?? {}).map(
    ([key, data]) => [key, fromBase64(data)] as const,
  );
  return { entries, origin: { kind: "secret", name } };
}

/** Undefined when an optional source is missing: the variable is not set. */
async function readSource(
  source: EnvVarSource,
  input: EnvironmentInput,
): Promise<string | undefined> {
  const { pod, container, fields, objects } = input;
  const namespace = pod.metadata?.namespace ?? "";
  if (source.fieldRef !== undefined) return fieldValue(source.fieldRef, pod, fields);
  if (source.resourceFieldRef !== undefined) {
    return resourceFieldValue(source.resourceFieldRef, pod, { container, context: fields });
  }
  if (source.configMapKeyRef !== undefined) {
    const { name = "", key, optional } = source.configMapKeyRef;
    const found = await objects.configMap(namespace, name);
    const value = getOwn(found?.data, key);
    if (value !== undefined || optional === true) return value;
    if (found === undefined) throw new Error(`configmap ${JSON.stringify(name)} not found`);
    throw new Error(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (source.secretKeyRef === undefined) return "";
  const { name = "", key, optional } = source.secretKeyRef;
  const found = await objects.secret(namespace, name);
  const data = getOwn(found?.data, key);
  if (data !== undefined) return fromBase64(data);
  if (optional === true) return undefined;
  if (found === undefined) throw new Error(`secret ${JSON.stringify(name)} not found`);
  throw new Error(`couldn't find key ${key} in Secret ${namespace}/${name}`);
}

function fromBase64(data: string): string {
  return Buffer.from(data, "base64").toString("utf8");
}

/** Printable ASCII without `=`. Source: apimachinery validation IsRelaxedEnvVarName. */
function isVariableName(name: string): boolean {
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(name);
}
