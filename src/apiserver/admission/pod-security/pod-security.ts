import type { Namespace } from "#api/core/v1/namespace.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { PodSpec } from "#api/core/v1/pod-spec.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import type { KubeObject, ObjectMeta } from "#apimachinery/object.ts";
import { invalidStatus } from "#apimachinery/status.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { type AdmissionRequest, forbid, isAbout, isNamespaceKind } from "../request.ts";
import { type PodSecurityConfiguration, podSecurityDefaults } from "./configuration.ts";
import {
  compareLevels,
  detailText,
  type LevelVersion,
  levelText,
  type NamespacePolicy,
  policyOf,
  reasonText,
  sameLevel,
  violationsOf,
} from "./policy.ts";
import type { PodView } from "./pod-view.ts";

/** Pods of a namespace that are looked at when its level changes. */
const podsCheckedMax = 3000;

const ignoredSubresources = new Set([
  "attach",
  "binding",
  "eviction",
  "exec",
  "log",
  "portforward",
  "proxy",
  "status",
]);

/** Kinds that make pods, by group and plural, with the path of the template. */
const controllers = new Map<string, readonly string[]>([
  ["/podtemplates", ["template"]],
  ["/replicationcontrollers", ["spec", "template"]],
  ["apps/daemonsets", ["spec", "template"]],
  ["apps/deployments", ["spec", "template"]],
  ["apps/replicasets", ["spec", "template"]],
  ["apps/statefulsets", ["spec", "template"]],
  ["batch/cronjobs", ["spec", "jobTemplate", "spec", "template"]],
  ["batch/jobs", ["spec", "template"]],
]);

/** Holds pods to the level of their namespace. Source: k8s.io/pod-security-admission. */
export function podSecurity(
  namespaces: LiveSet<Namespace>,
  pods: LiveSet<Pod>,
  configuration: PodSecurityConfiguration = podSecurityDefaults,
): AdmissionPlugin {
  const policyFor = (labels: Labels): NamespacePolicy => policyOf(labels, configuration.defaults);
  return {
    name: "PodSecurity",
    handles: ({ operation }) => operation === "CREATE" || operation === "UPDATE",
    validate(request) {
      const { definition, call } = request;
      if (isNamespaceKind(definition)) {
        if (call.subresource === "") checkNamespace(request, { pods, policyFor, configuration });
        return;
      }
      const isPod = definition.group === "" && definition.plural === "pods";
      const path = controllers.get(`${definition.group}/${definition.plural}`);
      if (!isPod && path === undefined) return;
      if (isPod ? ignoredSubresources.has(call.subresource) : call.subresource !== "") return;
      const exempt = exemptionOf(request, configuration);
      if (exempt !== undefined) {
        call.annotate?.(exemptAnnotation, exempt);
        return;
      }
      const policy = policyFor(namespaces.get("", call.namespace)?.metadata?.labels);
      const isExempt = (view: PodView): boolean => isExemptClass(view, configuration);
      if (isPod) checkPod(request, policy, isExempt);
      else checkTemplate(request, policy, { path: path ?? [], isExempt });
    },
  };
}

type Labels = Readonly<Record<string, string>> | undefined;

const exemptAnnotation = "pod-security.kubernetes.io/exempt";

function exemptionOf({ call }: AdmissionRequest, { namespaces, usernames }: PodSecurityConfiguration): string | undefined {
  if (namespaces.has(call.namespace)) return "namespace";
  return usernames.has(call.user.name) ? "user" : undefined;
}

function isExemptClass({ spec }: PodView, { runtimeClasses }: PodSecurityConfiguration): boolean {
  return spec.runtimeClassName !== undefined && runtimeClasses.has(spec.runtimeClassName);
}

function viewOf(object: {
  metadata?: ObjectMeta | undefined;
  spec?: PodSpec | undefined;
}): PodView | undefined {
  return object.spec && { metadata: object.metadata ?? {}, spec: object.spec };
}

function checkPod(request: AdmissionRequest, policy: NamespacePolicy, isExempt: (view: PodView) => boolean): void {
  const pod = request.object as Pod;
  const view = viewOf(pod);
  if (view === undefined) return;
  const old = request.oldObject as Pod | undefined;
  if (old !== undefined && !isSignificant(pod, old)) return;
  const { call } = request;
  if (isExempt(view)) {
    call.annotate?.(exemptAnnotation, "runtimeClass");
    return;
  }
  const enforced = violationsOf(policy.enforce, view);
  call.annotate?.("pod-security.kubernetes.io/enforce-policy", levelText(policy.enforce));
  report(request, policy, { view, warns: enforced.length === 0 });
  if (enforced.length === 0) return;
  throw forbid(
    request,
    `violates PodSecurity ${JSON.stringify(levelText(policy.enforce))}: ${detailText(enforced)}`,
  );
}

function checkTemplate(
  request: AdmissionRequest,
  policy: NamespacePolicy,
  { path, isExempt }: { readonly path: readonly string[]; readonly isExempt: (view: PodView) => boolean },
): void {
  let template: unknown = request.object;
  for (const part of path) template = (template as Record<string, unknown> | undefined)?.[part];
  const view =
    template === undefined ? undefined : viewOf(template as KubeObject & { spec?: PodSpec });
  if (view === undefined) return;
  if (isExempt(view)) request.call.annotate?.(exemptAnnotation, "runtimeClass");
  else report(request, policy, { view, warns: true });
}

function report(
  { call }: AdmissionRequest,
  { audit, warn }: NamespacePolicy,
  { view, warns }: { readonly view: PodView; readonly warns: boolean },
): void {
  const textOf = (level: LevelVersion): string | undefined => {
    const found = violationsOf(level, view);
    if (found.length === 0) return undefined;
    return `would violate PodSecurity ${JSON.stringify(levelText(level))}: ${detailText(found)}`;
  };
  const audited = textOf(audit);
  if (audited !== undefined)
    call.annotate?.("pod-security.kubernetes.io/audit-violations", audited);
  const warned = warns ? textOf(warn) : undefined;
  if (warned !== undefined) call.warn(warned);
}

/** Images and new containers matter; nothing else that can change does. */
function isSignificant({ spec }: Pod, { spec: old }: Pod): boolean {
  const differs = (
    now: readonly Pick<Container, "name" | "image">[] = [],
    before: typeof now = [],
  ): boolean =>
    now.length !== before.length || now.some(({ image }, index) => image !== before[index]?.image);
  return (
    differs(spec?.containers, old?.containers) ||
    differs(spec?.initContainers, old?.initContainers) ||
    (spec?.ephemeralContainers ?? []).some(
      ({ name, image }) =>
        old?.ephemeralContainers?.find((one) => one.name === name)?.image !== image,
    )
  );
}

interface NamespaceCheck {
  readonly pods: LiveSet<Pod>;
  readonly policyFor: (labels: Labels) => NamespacePolicy;
  readonly configuration: PodSecurityConfiguration;
}

function checkNamespace(request: AdmissionRequest, { pods, policyFor, configuration }: NamespaceCheck): void {
  const { object, oldObject, call } = request;
  const next = policyFor(object?.metadata?.labels);
  const name = object?.metadata?.name ?? "";
  const old = oldObject === undefined ? undefined : policyFor(oldObject.metadata?.labels);
  if (next.errors.length > 0 && !(old !== undefined && deepEqual(next.errors, old.errors))) {
    throw invalidStatus({ group: "", kind: "Namespace" }, name, next.errors);
  }
  if (old === undefined || !isAbout(request, "", "namespaces")) return;
  const { enforce } = next;
  if (sameLevel(enforce, old.enforce) || enforce.level === "privileged") return;
  if (
    enforce.version === old.enforce.version &&
    compareLevels(enforce.level, old.enforce.level) < 1
  )
    return;
  if (configuration.namespaces.has(name)) {
    call.annotate?.(exemptAnnotation, "namespace");
    return;
  }
  const checked = pods.inNamespace(name).filter(({ spec }) => !isExemptClass({ metadata: {}, spec }, configuration));
  for (const text of existingViolations(name, enforce, checked)) call.warn(text);
}

function existingViolations(
  namespace: string,
  enforce: LevelVersion,
  pods: readonly Pod[],
): string[] {
  const names = new Map<string, string[]>();
  for (const pod of pods.slice(0, podsCheckedMax)) {
    const view = viewOf(pod);
    const text = view === undefined ? "" : reasonText(violationsOf(enforce, view));
    if (text !== "") names.set(text, [...(names.get(text) ?? []), pod.metadata?.name ?? ""]);
  }
  const texts = [...names].map(([text, own]) => {
    const others = own.length - 1;
    const more = others === 0 ? "" : ` (and ${others} other ${others === 1 ? "pod" : "pods"})`;
    return `${own.toSorted()[0] ?? ""}${more}: ${text}`;
  });
  const level = JSON.stringify(levelText(enforce));
  const checked = `new PodSecurity enforce level only checked against the first ${podsCheckedMax} of ${pods.length} existing pods`;
  return [
    ...(pods.length > podsCheckedMax ? [checked] : []),
    ...(texts.length > 0
      ? [
          `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${level}`,
        ]
      : []),
    ...texts.sort(),
  ];
}
