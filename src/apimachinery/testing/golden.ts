import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Objects with every field filled, one for each kind, as upstream encodes them. They lie beside the
 * checkout, not in it, so tests skip by name where they are absent.
 */
export interface GoldenObject {
  /** `core.v1.Pod`: group, version, kind. */
  readonly name: string;
  readonly json: string;
  readonly yaml: string;
  /** With the `k8s` envelope. */
  readonly proto: Uint8Array;
}

const root = fileURLToPath(
  new URL("../../../../shared/kubernetes-1.36/testdata/HEAD/", import.meta.url),
);

/** Empty where they are absent. */
export function goldenObjects(): GoldenObject[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((file) => file.endsWith(".pb"))
    .map((file) => file.slice(0, -".pb".length))
    .map((name) => ({
      name,
      json: readFileSync(`${root}${name}.json`, "utf8"),
      yaml: readFileSync(`${root}${name}.yaml`, "utf8"),
      proto: readFileSync(`${root}${name}.pb`),
    }));
}
