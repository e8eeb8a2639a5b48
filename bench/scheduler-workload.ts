/** The workloads of scheduler_perf: its YAML, with parameters filled in and templates read. */
import { readFileSync } from "node:fs";
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
}

export interface Workload {
  /** `SchedulingBasic/5000Nodes_10000Pods`. */
  readonly name: string;
  readonly labels: readonly string[];
  /** Pods a second that upstream asks of its own machines. */
  readonly threshold: number | undefined;
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly operations: readonly Operation[];
  readonly params: Readonly<Record<string, number | string>>;
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
    readonly params?: Readonly<Record<string, number | string>>;
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

const templates = new Map<string, string>();

/** A fresh object for each call; `{{.Index}}` and the like are filled in. */
export function fromTemplate(workload: Workload, path: string, index: number): KubeObject {
  const file = join(workload.directory, path);
  const text = templates.get(file) ?? readFileSync(file, "utf8");
  templates.set(file, text);
  const filled = text.replaceAll(/\{\{-?\s*\.Index\s*-?\}\}/g, String(index));
  return parseYaml(filled).value as KubeObject;
}
