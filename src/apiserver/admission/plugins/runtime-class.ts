import type { Pod } from "#api/core/v1/pod.ts";
import type { RuntimeClass } from "#api/node/v1/runtime-class.ts";
import { deepEqual } from "#apimachinery/deep-equal.ts";
import { compareQuantities } from "#apimachinery/quantity.ts";
import type { LiveSet } from "../../storage/live-set.ts";
import type { AdmissionPlugin } from "../admission.ts";
import { type AdmissionRequest, forbid, isAbout } from "../request.ts";

type Overhead = Readonly<Record<string, string>>;

const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/**
 * Gives pods what their runtime class costs, and where it runs. Source:
 * plugin/pkg/admission/runtimeclass.
 */
export function runtimeClassAdmission(classes: LiveSet<RuntimeClass>): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    handles: (request) => request.operation === "CREATE" && isAbout(request, "", "pods"),
    mutate(request) {
      const pod = request.object as Pod;
      const found = classOf(request, pod, classes);
      return found && scheduled(request, withOverhead(request, pod, found), found);
    },
    validate(request) {
      const pod = request.object as Pod;
      const defined = classOf(request, pod, classes)?.overhead?.podFixed;
      const own = pod.spec?.overhead;
      if (defined === undefined && own !== undefined && Object.keys(own).length > 0) {
        throw forbid(
          request,
          "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        );
      }
      if (defined !== undefined && !sameOverhead(own ?? {}, defined))
        throw forbid(request, mismatch);
    },
  };
}

function classOf(
  request: AdmissionRequest,
  pod: Pod,
  classes: LiveSet<RuntimeClass>,
): RuntimeClass | undefined {
  const name = pod.spec?.runtimeClassName;
  if (!name) return undefined;
  const found = classes.get("", name);
  if (found === undefined)
    throw forbid(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return found;
}

function sameOverhead(a: Overhead, b: Overhead): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => b[name] !== undefined && compareQuantities(a[name] ?? "0", b[name]) === 0)
  );
}

function withOverhead(request: AdmissionRequest, pod: Pod, { overhead }: RuntimeClass): Pod {
  const defined = overhead?.podFixed;
  if (defined === undefined) return pod;
  const own = pod.spec?.overhead;
  if (own !== undefined && Object.keys(own).length > 0 && !sameOverhead(own, defined))
    throw forbid(request, mismatch);
  return { ...pod, spec: { ...pod.spec, overhead: defined } } as Pod;
}

function scheduled(request: AdmissionRequest, pod: Pod, { scheduling }: RuntimeClass): Pod {
  if (scheduling === undefined) return pod;
  const { nodeSelector: wanted = {}, tolerations: added = [] } = scheduling;
  const own = pod.spec?.nodeSelector ?? {};
  for (const [key, value] of Object.entries(wanted)) {
    if (own[key] === undefined || own[key] === value) continue;
    throw forbid(
      request,
      `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`,
    );
  }
  const present = pod.spec?.tolerations ?? [];
  const missing = added.filter((one) => !present.some((other) => deepEqual(one, other)));
  const nodeSelector = { ...own, ...wanted };
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
      ...(present.length + missing.length > 0 && { tolerations: [...present, ...missing] }),
    },
  } as Pod;
}
