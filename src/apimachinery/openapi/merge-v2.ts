import { deepEqual } from "../deep-equal.ts";
import { isJsonMap, type JsonMap } from "../json-value.ts";
import { getOwn } from "../maps.ts";

/** Parts of a v2 document that references lead to. */
const sections = ["definitions", "parameters"] as const;
type Section = (typeof sections)[number];

function mapIn(map: JsonMap, name: string): JsonMap {
  const found = map[name];
  return isJsonMap(found) ? found : {};
}

function refTo(section: Section, name: string): string {
  return `#/${section}/${name}`;
}

/**
 * The paths of a v2 document below one, with all that they refer to, and definitions that no path refers to.
 * Source: kube-openapi pkg/aggregator FilterSpecByPaths.
 */
export function pruneSwagger(swagger: JsonMap, prefix: string): JsonMap {
  const all = mapIn(swagger, "paths");
  const paths = Object.entries(all).filter(([path]) => path.startsWith(prefix));
  const everywhere = reachedFrom(swagger, Object.values(all));
  const kept = reachedFrom(swagger, paths.map(([, item]) => item));
  const definitions = Object.entries(mapIn(swagger, "definitions")).filter(([name]) => {
    const ref = refTo("definitions", name);
    return kept.has(ref) || !everywhere.has(ref);
  });
  const parameters = Object.entries(mapIn(swagger, "parameters")).filter(([name]) => kept.has(refTo("parameters", name)));
  const { info, securityDefinitions } = swagger;
  return {
    swagger: "2.0",
    ...(info !== undefined && { info }),
    paths: Object.fromEntries(paths),
    definitions: Object.fromEntries(definitions),
    parameters: Object.fromEntries(parameters),
    ...(securityDefinitions !== undefined && { securityDefinitions }),
  };
}

/** All references in these parts of a document, and in what they lead to. */
function reachedFrom(swagger: JsonMap, parts: readonly unknown[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = [...parts];
  while (pending.length > 0) {
    for (const ref of refsIn(pending.pop())) {
      const section = sections.find((each) => ref.startsWith(refTo(each, "")));
      if (section === undefined || reached.has(ref)) continue;
      reached.add(ref);
      pending.push(getOwn(mapIn(swagger, section), ref.slice(refTo(section, "").length)));
    }
  }
  return reached;
}

function refsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (!isJsonMap(value)) return [];
  const { $ref } = value;
  return [...(typeof $ref === "string" ? [$ref] : []), ...Object.values(value).flatMap(refsIn)];
}

/**
 * A v2 document with the paths of another, which gives way: what has the name of something else is called
 * `NAME_v2` and so on. Descriptions make no difference. Source: kube-openapi pkg/aggregator mergeSpecs.
 */
export function mergeSwagger(own: JsonMap, other: JsonMap): JsonMap {
  const renames = new Map<string, string>();
  for (const section of sections) {
    for (const [name, value] of Object.entries(mapIn(other, section))) {
      const free = freeName(mapIn(own, section), mapIn(other, section), { name, value });
      if (free !== name) renames.set(refTo(section, name), refTo(section, free));
    }
  }
  const merged = { ...own };
  for (const section of sections) {
    merged[section] = { ...renamed(mapIn(other, section), section, renames), ...mapIn(own, section) };
  }
  merged["paths"] = { ...(withRefs(mapIn(other, "paths"), renames) as JsonMap), ...mapIn(own, "paths") };
  return merged;
}

function freeName(own: JsonMap, other: JsonMap, { name, value }: { name: string; value: unknown }): string {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name}_v${i}`;
    const taken = getOwn(own, candidate);
    if (taken !== undefined && deepEqual(comparable(taken), comparable(value))) return candidate;
    if (taken === undefined && (i === 1 || getOwn(other, candidate) === undefined)) return candidate;
  }
}

/** Without descriptions, and without the kinds of a definition. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (!isJsonMap(value)) return value;
  const entries = Object.entries(value).filter(
    ([key, each]) => key !== "x-kubernetes-group-version-kind" && !(key === "description" && typeof each === "string"),
  );
  return Object.fromEntries(entries.map(([key, each]) => [key, comparable(each)]));
}

function renamed(map: JsonMap, section: Section, renames: ReadonlyMap<string, string>): JsonMap {
  const entries = Object.entries(map).map(([name, value]) => {
    const ref = renames.get(refTo(section, name)) ?? refTo(section, name);
    return [ref.slice(refTo(section, "").length), withRefs(value, renames)] as const;
  });
  return Object.fromEntries(entries);
}

function withRefs(value: unknown, renames: ReadonlyMap<string, string>): unknown {
  if (renames.size === 0) return value;
  if (Array.isArray(value)) return value.map((each) => withRefs(each, renames));
  if (!isJsonMap(value)) return value;
  const entries = Object.entries(value).map(([key, each]) =>
    key === "$ref" && typeof each === "string" ? [key, renames.get(each) ?? each] : [key, withRefs(each, renames)],
  );
  return Object.fromEntries(entries);
}
