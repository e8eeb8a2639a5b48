/** The workloads of scheduler_perf: its YAML, with parameters filled in and templates read. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KubeObject } from "#apimachinery/object.ts";
import { parseYaml } from "#wire/yaml.ts";

/** One step; what else it has depends on its `opcode`. */
export interface Operation {
  readonly opcode: string;
  readonly count?: number;
  readonly countParam?: string;
  readonly collectMetrics?: boolean;
  readonly namespace?: string;
  readonly prefix?: string;
  readonly namespacePrefix?: string;
  readonly nodeTemplatePath?: string;
  readonly podTemplatePath?: string;
  readonly namespaceTemplatePath?: string;
  readonly templatePath?: string;
  readonly templatePaths?: readonly string[];
  readonly persistentVolumeTemplatePath?: string;
  readonly persistentVolumeClaimTemplatePath?: string;
  readonly mode?: "create" | "recreate";
  readonly number?: number;
  readonly intervalMilliseconds?: number;
  readonly skipWaitToCompletion?: boolean;
  readonly stageRequirement?: "Attempted" | "Scheduled";
  readonly labelSelector?: Readonly<Record<string, string>>;
  readonly labelNodePrepareStrategy?: {
    readonly labelKey: string;
    readonly labelValues: readonly string[];
  };
  readonly uniqueNodeLabelStrategy?: { readonly labelKey: string };
  readonly nodeAllocatableStrategy?: {
    readonly nodeAllocatable?: Readonly<Record<string, string>>;
    readonly csiNodeAllocatable?: Readonly<Record<string, { readonly count: number }>>;
  };
  readonly deletePodsPerSecond?: number;
  readonly updatePerSecond?: number;
  readonly subresources?: readonly string[];
  readonly createPodsOp?: Operation;
  readonly driverName?: string;
  readonly nodes?: string;
  readonly maxClaimsPerNodeParam?: string;
  readonly steadyState?: boolean;
  readonly steadyStateParam?: string;
  readonly duration?: string;
  readonly durationParam?: string;
}

export interface Workload {
  /** `SchedulingBasic/5000Nodes_10000Pods`. */
  readonly name: string;
  readonly labels: readonly string[];
  /** Pods a second that upstream asks of its own machines. */
  readonly threshold: number | undefined;
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly operations: readonly Operation[];
  readonly params: Readonly<Record<string, number | string | boolean>>;
  readonly defaultPodTemplatePath: string | undefined;
  /** Templates' paths are relative to it. */
  readonly directory: string;
}

interface TestCase {
  readonly name: string;
  readonly defaultPodTemplatePath?: string;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  readonly workloadTemplate: readonly Operation[];
  readonly workloads: readonly {
    readonly name: string;
    readonly labels?: readonly string[];
    readonly threshold?: number | { readonly default?: number };
    readonly featureGates?: Readonly<Record<string, boolean>>;
    readonly params?: Readonly<Record<string, number | string | boolean>>;
  }[];
}

export function readWorkloads(file: string): Workload[] {
  const cases = parseYaml(readFileSync(file, "utf8")).value as readonly TestCase[];
  return cases.flatMap((test) =>
    test.workloads.map((workload) => ({
      name: `${test.name}/${workload.name}`,
      labels: workload.labels ?? [],
      threshold:
        typeof workload.threshold === "number" ? workload.threshold : workload.threshold?.default,
      featureGates: { ...test.featureGates, ...workload.featureGates },
      operations: test.workloadTemplate,
      params: workload.params ?? {},
      defaultPodTemplatePath: test.defaultPodTemplatePath,
      directory: dirname(file),
    })),
  );
}

export function countOf({ count, countParam }: Operation, { params, name }: Workload): number {
  if (countParam === undefined) return count ?? 1;
  const value = params[countParam.slice(1)];
  if (typeof value !== "number") throw new Error(`${name}: no parameter ${countParam}`);
  return value;
}

/** How long pods are made anew for those that were scheduled; undefined: once is enough. */
export function steadyMsOf(operation: Operation, { params }: Workload): number | undefined {
  const { steadyState, steadyStateParam, duration, durationParam } = operation;
  const steady = steadyState ?? (steadyStateParam !== undefined && params[steadyStateParam.slice(1)] === true);
  if (!steady) return undefined;
  const text = duration ?? String(params[durationParam?.slice(1) ?? ""] ?? "10s");
  return Number(/^([0-9]+)s/.exec(text)?.[1] ?? 10) * 1000;
}

/** Path of a template that all workloads share, from the directory of this one. */
export function defaultTemplate({ directory }: Workload, name: string): string {
  let up = "..";
  while (!existsSync(join(directory, up, "templates", name)) && up.length < 64) up = join(up, "..");
  return join(up, "templates", name);
}

const templates = new Map<string, string>();

/** A fresh object for each call; `{{.Index}}`, `{{Mod .Index 12}}` and the like are filled in. */
export function fromTemplate(workload: Workload, path: string, index: number, count = 1): KubeObject {
  const file = join(workload.directory, path);
  const text = templates.get(file) ?? readFileSync(file, "utf8");
  templates.set(file, text);
  const valueOf = (word: string): number => (word === ".Index" ? index : word === ".Count" ? count : Number(word));
  const filled = text.replaceAll(/\{\{-?\s*([^}]*?)\s*-?\}\}/g, (_, expression: string) => {
    const [word = "", a = "", b = ""] = expression.split(/\s+/);
    if (word === "DivideInt") return String(Math.trunc(valueOf(a) / valueOf(b)));
    return String(word === "Mod" ? valueOf(a) % valueOf(b) : valueOf(word));
  });
  return parseYaml(filled).value as KubeObject;
}
