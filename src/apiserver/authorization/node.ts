import type { Pod } from "#api/core/v1/pod.ts";
import { podSecretNames } from "#api/core/v1/pod-secret-names.ts";
import type { PersistentVolumeClaim } from "#api/core/v1/persistent-volume-claim.ts";
import type { PersistentVolume } from "#api/core/v1/persistent-volume.ts";
import { keyOfObject } from "#apimachinery/object.ts";
import type { User } from "../call.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { type Attributes, type Authorizer, type Decision, noOpinion } from "./authorizer.ts";
import { allows, type PolicyRule } from "./rbac.ts";

const userPrefix = "system:node:";
const nodesGroup = "system:nodes";

/** The node that a user is; undefined for everybody else. */
export function nodeNameOf({ name, groups }: User): string | undefined {
  if (!groups.includes(nodesGroup) || !name.startsWith(userPrefix)) return undefined;
  return name.slice(userPrefix.length) || undefined;
}

export interface NodeSources {
  readonly pods: LiveSet<Pod>;
  readonly claims: LiveSet<PersistentVolumeClaim>;
  readonly volumes: LiveSet<PersistentVolume>;
  /** What every kubelet may do: the rules of the role `system:node`. */
  readonly rules: readonly PolicyRule[];
}

const allow: Decision = { verdict: "allow", reason: "" };

/**
 * Lets kubelets read what the pods of their node refer to, and nothing of others.
 * Source: plugin/pkg/auth/authorizer/node/node_authorizer.go.
 */
export function createNodeAuthorizer(sources: NodeSources): Authorizer {
  const references = createReferences(sources);
  return {
    authorize(attributes) {
      const node = nodeNameOf(attributes.user);
      if (node === undefined) return noOpinion;
      const decided = attributes.isResource ? decide(attributes, node, references) : undefined;
      if (decided !== undefined) return decided;
      return sources.rules.some((rule) => allows(rule, attributes)) ? allow : noOpinion;
    },
  };
}

function refused(reason: string): Decision {
  return { verdict: "noOpinion", reason };
}

const readVerbs = new Set(["get", "list", "watch"]);

/** Undefined: the general rules decide. */
function decide(attributes: Attributes, node: string, references: References): Decision | undefined {
  const { group, resource, subresource, verb, namespace, name } = attributes;
  const kind = `${group}/${resource}`;
  switch (kind) {
    case "/secrets":
    case "/configmaps":
    case "/persistentvolumeclaims":
    case "/persistentvolumes": {
      if (subresource === "status" && kind === "/persistentvolumeclaims") return undefined;
      if (!readVerbs.has(verb)) return refused("can only read resources of this type");
      if (subresource !== "") return refused("cannot read subresource");
      if (name === "") return refused("can only read named object of this type");
      const known = references.has(node, { kind, namespace, name });
      return known ? allow : refused(`no relationship found between node '${node}' and this object`);
    }
    case "/serviceaccounts": {
      if (verb !== "create" || subresource !== "token")
        return verb === "get" ? readAccount(references, node, attributes) : undefined;
      const known = references.has(node, { kind, namespace, name });
      return known ? allow : refused(`no relationship found between node '${node}' and this object`);
    }
    case "coordination.k8s.io/leases": {
      if (namespace !== "kube-node-lease")
        return refused(`can only access leases in the "kube-node-lease" system namespace`);
      if (verb === "create") return allow;
      if (!["get", "update", "patch", "delete"].includes(verb))
        return refused("can only get, create, update, patch, or delete a node lease");
      return name === node ? allow : refused("can only access node lease with the same name as the requesting node");
    }
    case "storage.k8s.io/csinodes": {
      if (!["get", "create", "update", "patch", "delete"].includes(verb))
        return refused("can only get, create, update, patch, or delete a CSINode");
      return verb === "create" || name === node
        ? allow
        : refused("can only access CSINode with the same name as the requesting node");
    }
    default:
      return undefined;
  }
}

function readAccount(references: References, node: string, { namespace, name }: Attributes): Decision {
  return references.has(node, { kind: "/serviceaccounts", namespace, name })
    ? allow
    : refused(`no relationship found between node '${node}' and this object`);
}

interface Referred {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface References {
  has(node: string, object: Referred): boolean;
}

/** Pods by node, kept in step; what they refer to is read off when asked. */
function createReferences({ pods, claims, volumes }: NodeSources): References {
  const byNode = new Map<string, Map<string, Pod>>();
  const nodeOfPod = new Map<string, string>();
  const follow = (key: string, pod: Pod | undefined): void => {
    const before = nodeOfPod.get(key);
    const now = pod?.spec?.nodeName || undefined;
    if (before !== undefined && before !== now) byNode.get(before)?.delete(key);
    if (now === undefined || pod === undefined) {
      nodeOfPod.delete(key);
      return;
    }
    nodeOfPod.set(key, now);
    const onNode = byNode.get(now) ?? new Map<string, Pod>();
    byNode.set(now, onNode.set(key, pod));
  };
  let started = false;
  return {
    has(node, object) {
      // Where no node ever asks, no Pod is read.
      if (!started) {
        started = true;
        pods.onChange(follow);
        for (const pod of pods.values()) follow(keyOfObject(pod), pod);
      }
      for (const pod of byNode.get(node)?.values() ?? []) {
        if (refersTo(pod, object, { claims, volumes })) return true;
      }
      return false;
    },
  };
}

function refersTo(
  pod: Pod,
  { kind, namespace, name }: Referred,
  storage: Pick<NodeSources, "claims" | "volumes">,
): boolean {
  if (kind === "/persistentvolumes") return volumeNames(pod, storage).includes(name);
  if (pod.metadata?.namespace !== namespace) return false;
  switch (kind) {
    case "/serviceaccounts":
      return (pod.spec?.serviceAccountName || "default") === name;
    case "/persistentvolumeclaims":
      return claimNames(pod).includes(name);
    case "/secrets":
      return podSecretNames(pod).has(name) || volumeSecrets(pod, storage).includes(name);
    default:
      return configMapNames(pod).has(name);
  }
}

function containersOf({
  spec,
}: Pod): readonly { env?: readonly EnvVar[] | undefined; envFrom?: readonly EnvFrom[] | undefined }[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}

interface EnvVar {
  readonly valueFrom?:
    | {
        readonly secretKeyRef?: { readonly name?: string | undefined } | undefined;
        readonly configMapKeyRef?: { readonly name?: string | undefined } | undefined;
      }
    | undefined;
}

interface EnvFrom {
  readonly secretRef?: { readonly name?: string | undefined } | undefined;
  readonly configMapRef?: { readonly name?: string | undefined } | undefined;
}

function configMapNames(pod: Pod): Set<string> {
  const names: (string | undefined)[] = [];
  for (const { env = [], envFrom = [] } of containersOf(pod)) {
    names.push(...(env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name));
    names.push(...(envFrom ?? []).map(({ configMapRef }) => configMapRef?.name));
  }
  for (const volume of pod.spec?.volumes ?? []) {
    names.push(volume.configMap?.name);
    names.push(...(volume.projected?.sources ?? []).map(({ configMap }) => configMap?.name));
  }
  return new Set(names.filter((name): name is string => name !== undefined && name !== ""));
}

function claimNames(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim !== undefined) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral !== undefined ? [`${pod.metadata?.name ?? ""}-${volume.name}`] : [];
  });
}

function volumeNames(pod: Pod, { claims }: Pick<NodeSources, "claims">): string[] {
  return claimNames(pod).flatMap((name) => {
    const volume = claims.get(pod.metadata?.namespace ?? "", name)?.spec?.volumeName;
    return volume ? [volume] : [];
  });
}

/** Secrets that the volumes of a pod's claims need on the node. */
function volumeSecrets(pod: Pod, storage: Pick<NodeSources, "claims" | "volumes">): string[] {
  return volumeNames(pod, storage).flatMap((name) => {
    const csi = storage.volumes.get("", name)?.spec?.csi;
    return [csi?.nodePublishSecretRef?.name, csi?.nodeStageSecretRef?.name].filter((secret) => secret !== undefined);
  });
}
