import { deepEqual } from "../deep-equal.ts";
import { isJsonMap, type JsonMap } from "../json-value.ts";
import { getOwn, setOwn } from "../maps.ts";

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

/** The paths of a v2 document below one, with all that they refer to and nothing else. */
export function pruneSwagger(swagger: JsonMap, prefix: string): JsonMap {
  const paths = Object.entries(mapIn(swagger, "paths")).filter(([path]) => path.startsWith(prefix));
  const kept = { definitions: {} as JsonMap, parameters: {} as JsonMap };
  const pending: unknown[] = paths.map(([, item]) => item);
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    for (const ref of refsIn(value)) {
      const section = sections.find((each) => ref.startsWith(refTo(each, "")));
      if (section === undefined) continue;
      const name = ref.slice(refTo(section, "").length);
      const found = getOwn(mapIn(swagger, section), name);
      if (found === undefined || getOwn(kept[section], name) !== undefined) continue;
      setOwn<unknown>(kept[section], name, found);
      pending.push(found);
    }
  }
  const { info, securityDefinitions } = swagger;
  return {
    swagger: "2.0",
    ...(info !== undefined && { info }),
    paths: Object.fromEntries(paths),
    ...kept,
    ...(securityDefinitions !== undefined && { securityDefinitions }),
  };
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
