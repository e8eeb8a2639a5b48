import type { Pod } from "#api/core/v1/pod.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Volume } from "#api/core/v1/volume.ts";
import type { ServiceAccount } from "#api/core/v1/service-account.ts";
import { type Random, randomSuffix } from "#base/random.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import { forbiddenStatus, notFound } from "#apimachinery/status.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";

/** Where containers find their token. Source: plugin/pkg/admission/serviceaccount. */
export const tokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const mirrorAnnotation = "kubernetes.io/config.mirror";
/** Longer than an hour, so that the kubelet's renewals never meet the API server's own clock. */
const tokenExpirationSeconds = 3607;

/** Gives every new pod a service account, its pull secrets, and a volume with its token. */
export function serviceAccountAdmission(
  accounts: LiveSet<ServiceAccount>,
  random: Random,
): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    handles: ({ definition, operation, call }) =>
      definition.group === "" &&
      definition.plural === "pods" &&
      operation === "CREATE" &&
      call.subresource === "",
    mutate: (request) => admit(request, accounts, random),
    validate(request) {
      const pod = request.object as Pod;
      if (isMirror(pod)) refuseMirrorWithSecrets(pod);
    },
  };
}

function isMirror(pod: Pod): boolean {
  return pod.metadata?.annotations?.[mirrorAnnotation] !== undefined;
}

function admit(
  request: AdmissionRequest,
  accounts: LiveSet<ServiceAccount>,
  random: Random,
): KubeObject | undefined {
  const pod = request.object as Pod;
  if (isMirror(pod)) return undefined;
  const name = pod.spec?.serviceAccountName || "default";
  const account = accounts.get(request.call.namespace, name);
  if (account === undefined) {
    const { message } = notFound({ group: "", resource: "serviceaccount" }, name);
    const why = `error looking up service account ${request.call.namespace}/${name}: ${message}`;
    throw forbiddenStatus({ group: "", resource: "pods" }, podName(pod), why);
  }
  const spec = { ...pod.spec, serviceAccountName: name, serviceAccount: name } as NonNullable<
    Pod["spec"]
  >;
  if ((spec.imagePullSecrets?.length ?? 0) === 0 && account.imagePullSecrets) {
    spec.imagePullSecrets = account.imagePullSecrets.map((secret) => ({ ...secret }));
  }
  const mount =
    pod.spec?.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  return { ...pod, spec: mount ? withToken(spec, random) : spec } as Pod;
}

function podName(pod: Pod): string {
  return pod.metadata?.name || pod.metadata?.generateName || "";
}

function withToken(spec: NonNullable<Pod["spec"]>, random: Random): NonNullable<Pod["spec"]> {
  const existing = spec.volumes?.find(isTokenVolume)?.name;
  const volume = existing ?? `kube-api-access-${randomSuffix(random, 5)}`;
  let used = false;
  const mounted = <C extends Pick<Container, "volumeMounts">>(container: C): C => {
    if (container.volumeMounts?.some(({ mountPath }) => mountPath === tokenMountPath))
      return container;
    used = true;
    const mount = { name: volume, readOnly: true, mountPath: tokenMountPath };
    return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] };
  };
  const next = {
    ...spec,
    ...(spec.initContainers && { initContainers: spec.initContainers.map(mounted) }),
    containers: spec.containers.map(mounted),
  };
  if (used && existing === undefined) next.volumes = [...(spec.volumes ?? []), tokenVolume(volume)];
  return next;
}

/** A volume that an earlier admission added. */
function isTokenVolume({ name, projected }: Volume): boolean {
  return name.startsWith("kube-api-access-") && projected !== undefined;
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { path: "token", expirationSeconds: tokenExpirationSeconds } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [
              {
                path: "namespace",
                fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" },
              },
            ],
          },
        },
      ],
    },
  } as Volume;
}

function refuseMirrorWithSecrets(pod: Pod): void {
  const refuse = (why: string): Error =>
    forbiddenStatus({ group: "", resource: "pods" }, podName(pod), why);
  if (pod.spec?.serviceAccountName) throw refuse("a mirror pod may not reference service accounts");
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.secret !== undefined) throw refuse("a mirror pod may not reference secrets");
    for (const source of volume.projected?.sources ?? []) {
      if (source.serviceAccountToken !== undefined) {
        throw refuse("a mirror pod may not use ServiceAccountToken volume projections");
      }
    }
  }
}
