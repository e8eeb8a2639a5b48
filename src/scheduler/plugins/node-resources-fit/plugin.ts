import type { Node } from "#api/core/v1/node.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { definePlugin, type Status, unresolvable, unschedulable } from "../../framework.ts";
import type { NodeInfo } from "../../node-info.ts";
import type { PodInfo } from "../../pod-info.ts";
import { type Amounts, amountOf, nameOfColumn } from "../../resource-vector.ts";
import { classedResources, isDelegated } from "../dynamic-resources/extended-resources.ts";
import { readResourcesFitArgs, type ResourcesFitArgs } from "./args.ts";
import { strategyScorer } from "./strategy.ts";

/** Counts what pods ask for against what nodes have. Source: scheduler NodeResourcesFit. */
export const nodeResourcesFit = definePlugin<ResourcesFitArgs>({
  name: "NodeResourcesFit",
  args: readResourcesFitArgs(undefined),
  readArgs: readResourcesFitArgs,
  enqueueOn: [
    "AssignedPod/delete",
    "AssignedPod/update-scale-down",
    "Pod/update-scale-down",
    // A class may stand for a resource that nodes lack.
    "DeviceClass/add",
    "DeviceClass/update",
    { on: "Node/add", helps: ({ object }, pod) => couldFit(object, pod) },
    { on: "Node/update-allocatable", helps: ({ object }, pod) => couldFit(object, pod) },
  ],
  filter({ pod, requests }, { args, listers, featureEnabled }) {
    const amounts = withoutIgnored(requests.amounts, args);
    const classed = featureEnabled("DRAExtendedResource") ? classedResources(pod, listers) : [];
    if (classed.length === 0) return { check: (node) => insufficient(amounts, node) };
    return {
      check(node) {
        const left = without(amounts, (name) => classed.includes(name) && isDelegated(name, node));
        return insufficient(left, node);
      },
    };
  },
  score: (pod, { args }) => strategyScorer(pod, args.scoringStrategy),
});

const noRoom = unschedulable("Too many pods");

/** Undefined: the node has enough of everything. */
function insufficient({ columns, values }: Amounts, node: NodeInfo): Status | undefined {
  let reasons: string[] | undefined;
  if (node.pods.size + 1 > node.podsMax) reasons = ["Too many pods"];
  let hopeless = false;
  const { allocatable, requested } = node;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as number;
    const wanted = values[i] as number;
    if (wanted === 0) continue;
    const has = column < allocatable.length ? (allocatable[column] as number) : 0;
    const taken = column < requested.length ? (requested[column] as number) : 0;
    if (wanted <= has - taken) continue;
    (reasons ??= []).push(`Insufficient ${nameOfColumn(column)}`);
    if (wanted > has) hopeless = true;
  }
  if (reasons === undefined) return undefined;
  if (hopeless) return unresolvable(...reasons);
  return reasons.length === 1 && reasons[0] === "Too many pods" ? noRoom : unschedulable(...reasons);
}

function withoutIgnored(amounts: Amounts, args: ResourcesFitArgs): Amounts {
  const { ignoredResources, ignoredResourceGroups } = args;
  if (ignoredResources.size === 0 && ignoredResourceGroups.size === 0) return amounts;
  return without(amounts, (name) => {
    const group = name.split("/")[0] ?? "";
    return ignoredResources.has(name) || (name.includes("/") && ignoredResourceGroups.has(group));
  });
}

function without(amounts: Amounts, ignored: (name: string) => boolean): Amounts {
  const kept = amounts.columns.flatMap((column, i) =>
    ignored(nameOfColumn(column)) ? [] : [{ column, value: amounts.values[i] as number }],
  );
  return { columns: kept.map(({ column }) => column), values: kept.map(({ value }) => value) };
}

/** Whether the pod would fit the node if it were empty. What it lacks of others' resources a claim may give. */
function couldFit(object: KubeObject | undefined, { requests }: PodInfo): boolean {
  const allocatable = (object as Node | undefined)?.status?.allocatable ?? {};
  const { columns, values } = requests.amounts;
  return columns.every((column, i) => {
    const name = nameOfColumn(column);
    if (name.includes("/") && allocatable[name] === undefined) return true;
    return (values[i] as number) <= amountOf(name, allocatable[name] ?? "0");
  });
}
