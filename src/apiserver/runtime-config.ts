import type { ResourceDefinition } from "#apimachinery/resource.ts";

type Kind = Pick<ResourceDefinition, "group" | "version" | "plural">;

/** Which of the built-in kinds a server serves. */
export type ServedKinds = (kind: Kind) => boolean;

/** In the order in which they are applied: a later one has the last word. */
const stages: readonly (readonly [key: string, versions: RegExp])[] = [
  ["api/all", /^/],
  ["api/ga", /^v\d+$/],
  ["api/beta", /^v\d+beta\d+$/],
  ["api/alpha", /^v\d+alpha\d+$/],
];

/**
 * Reads `--runtime-config`: `api/all|ga|beta|alpha`, `GROUP/VERSION` and `GROUP/VERSION/RESOURCE`, each `=true` or `=false`; the
 * narrower one wins. Without it the stable versions are served. Errors: an unknown group or version, a value that is no boolean.
 * Source: apiserver/pkg/server/resourceconfig, server/options/api_enablement.go.
 */
export function servedKinds(text: string, kinds: readonly Kind[]): ServedKinds {
  const settings = new Map<string, boolean>();
  for (const item of text.split(",").filter((part) => part !== "")) {
    const [key = "", value = ""] = item.split("=");
    settings.set(key, booleanOf(key, value));
  }
  if (settings.size === 1 && settings.get("api/all") === false) throw new Error("invalid runtime-config with only api/all=false");
  const unknown = [...settings.keys()].filter((key) => !isStage(key) && !kinds.some((kind) => kind.group === groupOf(key)));
  if (unknown.length > 0) throw new Error(`unknown api groups ${unknown.toSorted().join(",")}`);
  for (const key of settings.keys()) {
    if (!isStage(key)) checkVersion(key, kinds);
  }
  return (kind) => {
    const version = `${kind.group === "" ? "api" : kind.group}/${kind.version}`;
    return settings.get(`${version}/${kind.plural}`) ?? settings.get(version) ?? stageSetting(kind.version, settings);
  };
}

function isStage(key: string): boolean {
  return stages.some(([name]) => name === key);
}

function groupOf(key: string): string {
  const [group = ""] = key.split("/");
  return group === "api" || !key.includes("/") ? "" : group;
}

function checkVersion(key: string, kinds: readonly Kind[]): void {
  const [group = "", version, resource] = key.split("/");
  if (version === undefined) return;
  if (!kinds.some((kind) => kind.group === groupOf(key) && kind.version === version)) {
    throw new Error(`group version ${group}/${version} that has not been registered`);
  }
  if (resource !== undefined && resource !== resource.toLowerCase()) {
    throw new Error(`invalid key ${key}: group/version/resource and resource is always lowercase plural, not ${JSON.stringify(resource)}`);
  }
}

function stageSetting(version: string, settings: ReadonlyMap<string, boolean>): boolean {
  let served = /^v\d+$/.test(version);
  for (const [key, versions] of stages) {
    if (versions.test(version)) served = settings.get(key) ?? served;
  }
  return served;
}

function booleanOf(key: string, value: string): boolean {
  if (value === "true" || (value === "" && !isStage(key))) return true;
  if (value === "false") return false;
  if (isStage(key)) throw new Error(`invalid value ${key}=${value}`);
  throw new Error(`invalid value of ${key}: ${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
}
