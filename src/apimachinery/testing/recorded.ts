import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Scenarios recorded against a real API server, for tests: requests and the answers it gave. They
 * lie beside the checkout, not in it, so tests skip by name where they are absent.
 */
export interface RecordedStep {
  /** Verb and path, with `${ns}` and `${rand}` to fill in. */
  readonly do: string;
  /** Content type of the body. */
  readonly type?: string;
  /** A JSON value, or text that is sent as it is. */
  readonly body?: unknown;
  readonly expect: { readonly status: number; readonly body?: unknown };
}

export interface RecordedScenario {
  readonly about: string;
  readonly steps: readonly RecordedStep[];
}

const root = fileURLToPath(
  new URL("../../../../shared/kubernetes-1.36/recorded/", import.meta.url),
);

/** What was recorded: behaviour of verbs, or kind by kind. */
type RecordedArea = "semantics" | "resources";

/** Undefined where the recordings are absent. `name` as in `apply/containers`. */
export function recordedScenario(
  name: string,
  area: RecordedArea = "semantics",
): RecordedScenario | undefined {
  const file = `${root}${area}/${name}.json`;
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as RecordedScenario;
}

/** Empty where the recordings are absent. */
export function recordedNames(area: RecordedArea): string[] {
  if (!existsSync(`${root}${area}`)) return [];
  return readdirSync(`${root}${area}`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".json"))
    .map((path) => path.slice(0, -".json".length))
    .sort();
}
