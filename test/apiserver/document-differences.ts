/** Part of a JSON document. */
type Json = Readonly<Record<string, unknown>>;

/**
 * Where two OpenAPI documents differ, a line each: the path and both values. Texts of descriptions are not
 * compared; neither are the hashes in the names of shared parameters, which are taken from such texts.
 */
export function differences(found: unknown, wanted: unknown): string[] {
  return compare(comparable(found), comparable(wanted), "");
}

/** A description is a text; a property of that name is not. */
function isDescription(key: string, value: unknown): boolean {
  return key === "description" && typeof value === "string";
}

function comparable(document: unknown): unknown {
  const { parameters } = document as Json;
  const plain = plainly(document);
  if (!isJson(parameters) || !isJson(plain)) return plain;
  const shared = Object.entries(parameters).map(([name, parameter]) => JSON.stringify([unhashed(name), plainly(parameter)]));
  return { ...plain, parameters: shared.toSorted() };
}

/** Without descriptions, and with sorted members. */
function plainly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainly);
  if (typeof value === "string" && value.startsWith("#/parameters/")) return unhashed(value);
  if (!isJson(value)) return value;
  const entries = Object.entries(value).filter(([key, each]) => !isDescription(key, each));
  return Object.fromEntries(entries.map(([key, each]) => [key, plainly(each)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** `pretty` of `pretty-tJGM1-ng`. */
function unhashed(name: string): string {
  return name.slice(0, -"-tJGM1-ng".length);
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function compare(found: unknown, wanted: unknown, path: string): string[] {
  if (Array.isArray(found) && Array.isArray(wanted)) {
    if (found.length !== wanted.length) return [`${path}: ${found.length} items instead of ${wanted.length}`];
    return found.flatMap((each, i) => compare(each, wanted[i], `${path}[${i}]`));
  }
  if (isJson(found) && isJson(wanted)) {
    const keys = new Set([...Object.keys(found), ...Object.keys(wanted)]);
    return [...keys].flatMap((key) => compare(found[key], wanted[key], `${path} ${key}`));
  }
  return found === wanted ? [] : [`${path}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`];
}
