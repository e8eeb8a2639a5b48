/** Stages of KWOK (kwok.x-k8s.io/v1alpha1): what becomes of Pods and Nodes that nobody runs. */
import { errorMessage } from "#base/error-message.ts";
import { durationMs } from "#apimachinery/go-duration.ts";
import { getOwn } from "#apimachinery/maps.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { Random } from "#base/random.ts";
import { parseYaml } from "#wire/yaml.ts";
import { compileTemplate, type Template } from "./go-template.ts";
import { compileQuery, type Query } from "./query.ts";

export interface Stage {
  readonly name: string;
  readonly kind: "Pod" | "Node";
  /** Of several that match, one is drawn by weight. */
  weightOf(object: KubeObject): number;
  matches(object: KubeObject): boolean;
  delayMs(object: KubeObject, at: { readonly nowMs: number; readonly random: Pick<Random, "below"> }): number;
  readonly steps: readonly StageStep[];
}

export type StageStep =
  | { readonly do: "event"; readonly type: string; readonly reason: string; readonly message: Template }
  | { readonly do: "finalizers"; readonly add: readonly string[]; readonly remove: readonly string[]; readonly empty: boolean }
  | { readonly do: "delete" }
  | { readonly do: "patch"; readonly subresource: string; readonly root: string; readonly type: "merge" | "strategic"; readonly template: Template };

interface Requirement {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
  readonly jq?: { readonly key: string; readonly operator: string; readonly values?: readonly string[] };
}

interface From {
  readonly expressionFrom?: string;
  readonly jq?: { readonly expression: string };
}

interface GivenPatch {
  readonly subresource?: string;
  readonly root?: string;
  readonly type?: string;
  readonly template?: string;
}

interface GivenStep {
  readonly event?: { readonly type?: string; readonly reason?: string; readonly message?: string };
  readonly finalizers?: {
    readonly add?: readonly { readonly value: string }[];
    readonly remove?: readonly { readonly value: string }[];
    readonly empty?: boolean;
  };
  readonly delete?: boolean;
  readonly patch?: GivenPatch;
}

interface Given {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly resourceRef?: { readonly kind?: string };
    readonly selector?: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchAnnotations?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly Requirement[];
    };
    readonly weight?: number;
    readonly weightFrom?: From;
    readonly delay?: {
      readonly durationMilliseconds?: number;
      readonly durationFrom?: From;
      readonly jitterDurationMilliseconds?: number;
      readonly jitterDurationFrom?: From;
    };
    readonly steps?: readonly GivenStep[];
    readonly next?: Omit<GivenStep, "patch"> & {
      readonly statusTemplate?: string;
      readonly statusSubresource?: string;
      readonly patches?: readonly GivenPatch[];
    };
  };
}

/** Reads the documents of a file; throws what is wrong with one. */
export function readStages(text: string): Stage[] {
  const documents = text.split(/^---\s*$/m).filter((part) => /\S/.test(part.replaceAll(/^\s*#.*$/gm, "")));
  return documents.map((document) => {
    const given = parseYaml(Buffer.from(document)).value as Given;
    const name = given.metadata?.name ?? "";
    try {
      return readStage(given, name);
    } catch (error) {
      throw new Error(`stage ${JSON.stringify(name)}: ${errorMessage(error)}`, { cause: error });
    }
  });
}

function readStage(given: Given, name: string): Stage {
  if (given.kind !== "Stage" || given.apiVersion !== "kwok.x-k8s.io/v1alpha1") throw new Error("is no Stage of kwok.x-k8s.io/v1alpha1");
  const { resourceRef, selector = {}, weight = 1, weightFrom, delay = {}, next = {}, steps } = given.spec ?? {};
  const { kind } = resourceRef ?? {};
  if (kind !== "Pod" && kind !== "Node") throw new Error(`resourceRef.kind: ${kind}: not Pod or Node`);
  const tests = (selector.matchExpressions ?? []).map(compileRequirement);
  const weighed = queryFrom(weightFrom);
  const [duration, jitter] = [queryFrom(delay.durationFrom), queryFrom(delay.jitterDurationFrom)];
  const has = (map: Readonly<Record<string, string>> | undefined, wanted: Readonly<Record<string, string>> = {}): boolean =>
    Object.entries(wanted).every(([key, value]) => getOwn(map, key) === value);
  return {
    name,
    kind,
    weightOf: (object) => Number(weighed(object)[0] ?? weight),
    matches: (object) =>
      has(object.metadata?.labels, selector.matchLabels) &&
      has(object.metadata?.annotations, selector.matchAnnotations) &&
      tests.every((test) => test(object)),
    delayMs(object, { nowMs, random }) {
      const least = timeOf(duration(object)[0], nowMs) ?? delay.durationMilliseconds ?? 0;
      const most = timeOf(jitter(object)[0], nowMs) ?? delay.jitterDurationMilliseconds;
      if (most === undefined || most <= least) return most === undefined ? least : Math.max(0, most);
      return least + random.below(Math.ceil(most - least));
    },
    steps: (steps ?? stepsOfNext(next)).flatMap(compileStep),
  };
}

function compileRequirement(given: Requirement): (object: KubeObject) => boolean {
  const { key = "", operator = "", values = [] } = given.jq ?? given;
  const query = compileQuery(key);
  const listed = (object: KubeObject): boolean => query(object).some((value) => values.includes(String(value as string)));
  switch (operator) {
    case "In":
      return listed;
    case "NotIn":
      return (object) => !listed(object);
    case "Exists":
      return (object) => query(object).length > 0;
    case "DoesNotExist":
      return (object) => query(object).length === 0;
    default:
      throw new Error(`operator: ${operator}: not In, NotIn, Exists or DoesNotExist`);
  }
}

function queryFrom(from: From | undefined): Query {
  const expression = from?.expressionFrom ?? from?.jq?.expression;
  return expression === undefined ? () => [] : compileQuery(expression);
}

/** A Go duration, or a time to come. */
function timeOf(value: unknown, nowMs: number): number | undefined {
  if (typeof value !== "string") return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? durationMs(value) : Math.max(0, time - nowMs);
}

function stepsOfNext(next: NonNullable<NonNullable<Given["spec"]>["next"]>): GivenStep[] {
  const { statusTemplate, statusSubresource = "status", patches = [], ...rest } = next;
  const templates = statusTemplate === undefined ? [] : [{ subresource: statusSubresource, root: "status", template: statusTemplate }];
  const { event, finalizers, delete: goes } = rest;
  return [
    ...(event ? [{ event }] : []),
    ...(finalizers ? [{ finalizers }] : []),
    ...(goes === true ? [{ delete: true }] : [...templates, ...patches].map((patch) => ({ patch }))),
  ];
}

function compileStep({ event, finalizers, delete: goes, patch }: GivenStep): StageStep[] {
  const steps: StageStep[] = [];
  if (event) {
    const { type = "Normal", reason = "", message = "" } = event;
    steps.push({ do: "event", type, reason, message: compileTemplate(message) });
  }
  if (finalizers) {
    const { add = [], remove = [], empty = false } = finalizers;
    const values = (list: readonly { readonly value: string }[]): string[] => list.map(({ value }) => value);
    steps.push({ do: "finalizers", add: values(add), remove: values(remove), empty });
  }
  if (goes === true) steps.push({ do: "delete" });
  if (patch) {
    const { subresource = "", root = "", type, template = "" } = patch;
    const compiled = compileTemplate(template);
    steps.push({ do: "patch", subresource, root, type: type === "merge" ? "merge" : "strategic", template: compiled });
  }
  return steps;
}
