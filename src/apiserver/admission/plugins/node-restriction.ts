import type { Node } from "#api/core/v1/node.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type { TokenRequest } from "#api/authentication/v1/token-request.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { User } from "../../call.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { type AdmissionRequest, forbid } from "../request.ts";
import { forbiddenNodeLabels } from "./node-labels.ts";
import { refuseMirrorPod } from "./mirror-pods.ts";

const userPrefix = "system:node:";

interface Restriction {
  readonly pods: LiveSet<Pod>;
  readonly node: string;
}

type Rule = (request: AdmissionRequest, restriction: Restriction) => void;

/**
 * Kubelets change only themselves and their own pods. Source: plugin/pkg/admission/noderestriction.
 */
export function nodeRestriction(pods: LiveSet<Pod>): AdmissionPlugin {
  return {
    name: "NodeRestriction",
    handles: ({ call }) => call.user.groups.includes("system:nodes"),
    mutate(request) {
      const node = nodeOf(request.call.user);
      if (node === undefined) return undefined;
      if (node === "") {
        throw forbid(
          request,
          `could not determine node from user ${JSON.stringify(request.call.user.name)}`,
        );
      }
      const { group, plural } = request.definition;
      rules.get(`${group}/${plural}`)?.(request, { pods, node });
      return undefined;
    },
  };
}

/** The node that a user is; undefined for others. */
function nodeOf({ name, groups }: User): string | undefined {
  if (!name.startsWith(userPrefix) || !groups.includes("system:nodes")) return undefined;
  return name.slice(userPrefix.length);
}

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["/pods", admitPods],
  ["/nodes", admitNodes],
  ["/persistentvolumeclaims", admitClaims],
  ["/serviceaccounts", admitTokens],
  ["coordination.k8s.io/leases", admitLeases],
  ["storage.k8s.io/csinodes", admitCsiNodes],
  ["resource.k8s.io/resourceslices", admitResourceSlices],
]);

function quoted(text: string): string {
  return JSON.stringify(text);
}

function admitPods(request: AdmissionRequest, restriction: Restriction): void {
  const { call, operation } = request;
  const { node } = restriction;
  switch (call.subresource) {
    case "":
      if (operation === "CREATE") return refuseMirrorPod(request, node);
      if (operation === "DELETE") {
        return ownPod(
          request,
          restriction,
          `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`,
        );
      }
      throw forbid(
        request,
        `unexpected operation ${quoted(operation)}, node ${quoted(node)} can only create and delete mirror pods`,
      );
    case "status": {
      const text = `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`;
      ownPod(request, restriction, text);
      if (!deepEqual(request.object?.metadata?.labels, request.oldObject?.metadata?.labels)) {
        throw forbid(request, `node ${quoted(node)} cannot update labels through pod status`);
      }
      return;
    }
    case "eviction": {
      const text = `node ${quoted(node)} can only evict pods with spec.nodeName set to itself`;
      return ownPod(request, restriction, text);
    }
    default:
      throw forbid(
        request,
        `unexpected pod subresource ${quoted(call.subresource)}, only 'status' and 'eviction' are allowed`,
      );
  }
}

function ownPod(request: AdmissionRequest, { pods, node }: Restriction, text: string): void {
  const { call, name, object } = request;
  const old = request.oldObject as Pod | undefined;
  const pod = old ?? pods.get(call.namespace, name || object?.metadata?.name || "");
  if (pod !== undefined && pod.spec?.nodeName !== node) throw forbid(request, text);
}

function admitNodes(request: AdmissionRequest, { node }: Restriction): void {
  const { operation, name } = request;
  const refuse = (what: string): never => {
    throw forbid(request, `node ${quoted(node)} is not allowed to ${what}`);
  };
  const asked = name || request.object?.metadata?.name || "";
  if (asked !== node) refuse(`modify node ${quoted(asked)}`);
  const now = request.object as Node | undefined;
  const before = request.oldObject as Node | undefined;
  if (operation === "CREATE") {
    const labels = forbiddenNodeLabels(now?.metadata?.labels ?? {}, {});
    if (labels.length > 0) refuse(`set the following labels: ${labels.join(", ")}`);
  }
  if (operation !== "UPDATE") return;
  if (!deepEqual(now?.spec?.taints, before?.spec?.taints)) refuse("modify taints");
  const labels = forbiddenNodeLabels(now?.metadata?.labels ?? {}, before?.metadata?.labels ?? {});
  if (labels.length > 0) refuse(`modify labels: ${labels.join(", ")}`);
  if (!deepEqual(now?.metadata?.ownerReferences, before?.metadata?.ownerReferences))
    refuse("modify ownerReferences");
}

function admitClaims(request: AdmissionRequest): void {
  if (request.operation === "UPDATE" && request.call.subresource === "status") return;
  throw forbid(request, "may only update PVC status");
}

/** A node gets tokens of the pods that it runs, bound to them. */
function admitTokens(request: AdmissionRequest, { pods, node }: Restriction): void {
  const { operation, call } = request;
  if (operation !== "CREATE" || call.subresource !== "token") return;
  const reference = (request.object as TokenRequest).spec?.boundObjectRef;
  if (!reference || reference.apiVersion !== "v1" || reference.kind !== "Pod" || !reference.name) {
    throw forbid(request, "node requested token not bound to a pod");
  }
  if (!reference.uid)
    throw forbid(request, "node requested token with a pod binding without a uid");
  const pod = pods.get(call.namespace, reference.name);
  if (pod === undefined) throw forbid(request, `pod ${quoted(reference.name)} not found`);
  if (pod.metadata?.uid !== reference.uid) {
    throw forbid(
      request,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. ` +
        "The object might have been deleted and then recreated",
    );
  }
  if (pod.spec?.nodeName !== node)
    throw forbid(request, "node requested token bound to a pod scheduled on a different node");
}

function admitLeases(request: AdmissionRequest, { node }: Restriction): void {
  const { call, operation, name, object } = request;
  if (call.namespace !== "kube-node-lease") {
    throw forbid(request, `can only access leases in the "kube-node-lease" system namespace`);
  }
  const asked = operation === "CREATE" ? object?.metadata?.name : name;
  if (asked !== node)
    throw forbid(request, "can only access node lease with the same name as the requesting node");
}

function admitCsiNodes(request: AdmissionRequest, { node }: Restriction): void {
  const asked = request.operation === "CREATE" ? request.object?.metadata?.name : request.name;
  if (asked !== node)
    throw forbid(request, "can only access CSINode with the same name as the requesting node");
}

function admitResourceSlices(request: AdmissionRequest, { node }: Restriction): void {
  const slice = (request.object ?? request.oldObject) as
    | { spec?: { nodeName?: string } }
    | undefined;
  if (request.operation === "CREATE" && slice?.spec?.nodeName !== node) {
    throw forbid(
      request,
      "can only create ResourceSlice with the same NodeName as the requesting node",
    );
  }
  if (request.operation === "DELETE" && slice?.spec?.nodeName !== node) {
    throw forbid(
      request,
      "can only delete ResourceSlice with the same NodeName as the requesting node",
    );
  }
}
