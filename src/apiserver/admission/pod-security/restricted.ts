import { addedBeyond, badSeccomp, procMount } from "./baseline.ts";
import {
  type Check,
  type CheckedContainer,
  containersOf,
  hasUserNamespace,
  isWindows,
  named,
  plural,
  type PodView,
  quoted,
  setters,
  unique,
} from "./pod-view.ts";

/** Since this minor version Windows pods are not asked for what only Linux has. */
const windowsSince = 25;

function skipsWindows(pod: PodView, minor: number): boolean {
  return minor >= windowsSince && isWindows(pod);
}

const allowPrivilegeEscalation: Check = {
  since: 8,
  run(pod, minor) {
    if (skipsWindows(pod, minor)) return undefined;
    const bad = containersOf(pod).filter(
      ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
    );
    if (bad.length === 0) return undefined;
    const detail = `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`;
    return { reason: "allowPrivilegeEscalation != false", detail };
  },
};

const bindService = new Set(["NET_BIND_SERVICE"]);

const capabilities: Check = {
  since: 22,
  run(pod, minor) {
    if (skipsWindows(pod, minor)) return undefined;
    const keeping = containersOf(pod).filter(
      ({ securityContext }) => securityContext?.capabilities?.drop?.includes("ALL") !== true,
    );
    const added = addedBeyond(pod, bindService);
    const details = [
      ...(keeping.length > 0
        ? [`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`]
        : []),
      ...(added.containers.length > 0
        ? [
            `${named(added.containers)} must not include ${quoted(added.capabilities)} ` +
              "in securityContext.capabilities.add",
          ]
        : []),
    ];
    return details.length === 0
      ? undefined
      : { reason: "unrestricted capabilities", detail: details.join("; ") };
  },
};

const allowedVolumes = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

const volumes: Check = {
  run({ spec }) {
    const typeOf = (volume: object): string =>
      Object.entries(volume).find(([key, value]) => key !== "name" && value !== undefined)?.[0] ??
      "unknown";
    const bad = (spec.volumes ?? []).filter((volume) => !allowedVolumes.has(typeOf(volume)));
    if (bad.length === 0) return undefined;
    const names = bad.map(({ name }) => name);
    const types = unique(bad.map(typeOf));
    const who = `${plural(names.length, "volume", "volumes")} ${quoted(names)} ${plural(names.length, "uses", "use")}`;
    const what = `restricted volume ${plural(types.length, "type", "types")} ${quoted(types)}`;
    return { reason: "restricted volume types", detail: `${who} ${what}` };
  },
};

const runAsNonRoot: Check = {
  run(pod) {
    if (hasUserNamespace(pod)) return undefined;
    const reason = "runAsNonRoot != true";
    const podValue = pod.spec.securityContext?.runAsNonRoot;
    const valueOf = ({ securityContext }: CheckedContainer): boolean | undefined =>
      securityContext?.runAsNonRoot;
    const explicit = containersOf(pod).filter((one) => valueOf(one) === false);
    if (podValue === false || explicit.length > 0) {
      const who = setters(podValue === false, explicit);
      return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
    }
    const implicit = containersOf(pod).filter(
      (one) => valueOf(one) === undefined && podValue !== true,
    );
    if (implicit.length === 0) return undefined;
    return {
      reason,
      detail: `pod or ${named(implicit)} must set securityContext.runAsNonRoot=true`,
    };
  },
};

const runAsUser: Check = {
  since: 23,
  run(pod) {
    if (hasUserNamespace(pod)) return undefined;
    const bad = containersOf(pod).filter(({ securityContext }) => securityContext?.runAsUser === 0);
    const podBad = pod.spec.securityContext?.runAsUser === 0;
    if (!podBad && bad.length === 0) return undefined;
    return { reason: "runAsUser=0", detail: `${setters(podBad, bad)} must not set runAsUser=0` };
  },
};

const seccompProfile: Check = {
  since: 19,
  run(pod, minor) {
    if (skipsWindows(pod, minor)) return undefined;
    const reason = "seccompProfile";
    const explicit = badSeccomp(pod);
    if (explicit !== undefined) return { reason, detail: explicit };
    if (pod.spec.securityContext?.seccompProfile !== undefined) return undefined;
    const implicit = containersOf(pod).filter(
      ({ securityContext }) => securityContext?.seccompProfile === undefined,
    );
    if (implicit.length === 0) return undefined;
    const wanted =
      'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
    return { reason, detail: `pod or ${named(implicit)} ${wanted}` };
  },
};

/** What the restricted level adds, by the order of upstream's ids. */
export const restrictedChecks: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilities,
  procMount,
  volumes,
  runAsNonRoot,
  runAsUser,
  seccompProfile,
];
