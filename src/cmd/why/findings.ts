/**
 * Why a Pod is not what its author expects, in plain sentences. Pure: everything it speaks of is in the
 * material. What comes first stands in the way of what comes after.
 */
import type { ContainerStateTerminated, ContainerStatus } from "#api/core/v1/container-status.ts";
import type { Event } from "#api/core/v1/event.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import { conditionOf, type Finding, type Material } from "./material.ts";
import { schedulingFindings } from "./scheduling-findings.ts";

export function findingsOf(material: Material): Finding[] {
  const { pod, namespace, name } = material;
  if (pod === undefined) return missing(material);
  const found = [...deletion(pod), ...(pod.spec.nodeName ? placed(material, pod) : schedulingFindings(material, pod))];
  if (found.length > 0) return found;
  const { phase = "Pending" } = pod.status ?? {};
  const at = pod.spec.nodeName ? ` on node ${pod.spec.nodeName}` : "";
  const ready = conditionOf(pod, "Ready")?.status === "True" ? " and ready" : "";
  return [{ about: "state", sentence: `Pod ${namespace}/${name} is ${phase}${ready}${at}; nothing stands in its way.` }];
}

/** Of those told to us, the newest of each reason and message. */
function missing({ namespace, name, events }: Material): Finding[] {
  const failures = events.filter(({ reason }) => reason === "FailedCreate" || reason === "FailedDaemonPod");
  const found = failures.map(({ involvedObject, message }): Finding => {
    const owner = `${involvedObject?.kind} ${involvedObject?.name}`;
    return { about: "admission", sentence: `${owner} cannot create its Pods: ${withoutPrefix(message ?? "")}.` };
  });
  const unique = [...new Map(found.map((each) => [each.sentence, each])).values()];
  return [{ about: "state", sentence: `There is no Pod ${name} in namespace ${namespace}.` }, ...unique];
}

function withoutPrefix(message: string): string {
  return message.replace(/^Error creating: /, "").replace(/\.$/, "");
}

function deletion({ metadata }: Pod): Finding[] {
  if (metadata?.deletionTimestamp === undefined) return [];
  const { deletionTimestamp, finalizers = [] } = metadata;
  const held = finalizers.length === 0 ? "" : `; it stays until its finalizers are removed: ${finalizers.join(", ")}`;
  return [{ about: "deletion", sentence: `It is being deleted, and has until ${deletionTimestamp}${held}.` }];
}

function placed(material: Material, pod: Pod): Finding[] {
  const { phase, reason, message } = pod.status ?? {};
  if (phase === "Succeeded") return [{ about: "state", sentence: "All its containers ended with success." }];
  const found = [...nodeTrouble(material, pod), ...mountTrouble(material)];
  if (phase === "Failed" && reason) found.push({ about: "state", sentence: `It failed: ${reason}${message ? `: ${message}` : ""}.` });
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const status of statuses) found.push(...containerTrouble(status, material.events));
  found.push(...gateTrouble(pod));
  if (found.length === 0 && phase === "Pending") {
    found.push({ about: "node", sentence: `Node ${pod.spec.nodeName} has it, and is starting its containers.` });
  }
  return found;
}

function nodeTrouble({ node }: Material, { spec }: Pod): Finding[] {
  if (node === undefined) return [{ about: "node", sentence: `Its node ${spec.nodeName} does not exist any more.` }];
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return [];
  const why = ready === undefined ? "its kubelet has not reported yet" : `${ready.reason}: ${ready.message}`;
  return [{ about: "node", sentence: `Its node ${spec.nodeName} is not ready (${why}).` }];
}

function mountTrouble({ events }: Material): Finding[] {
  const reasons = ["FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox"];
  return reasons.flatMap((reason): Finding[] => {
    const event = newest(events, reason);
    if (event === undefined) return [];
    const about = reason === "FailedCreatePodSandBox" ? "node" : "volume";
    return [{ about, sentence: `${about === "node" ? "Its sandbox cannot be made" : "A volume is not there"}: ${event.message}.` }];
  });
}

function newest(events: readonly Event[], reason: string): Event | undefined {
  return events.findLast((event) => event.reason === reason);
}

const pullReasons: ReadonlySet<string> = new Set(["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"]);

function containerTrouble(status: ContainerStatus, events: readonly Event[]): Finding[] {
  const { name, image, state, lastState, restartCount = 0 } = status;
  const { waiting, running, terminated } = state ?? {};
  const { reason = "", message = "" } = waiting ?? {};
  if (pullReasons.has(reason)) {
    const told = newest(events, "Failed")?.message ?? message;
    return [{ about: "image", sentence: `Container ${name} waits for its image ${image}: ${told || reason}.` }];
  }
  if (reason === "CrashLoopBackOff") {
    const ended = lastState?.terminated;
    const how = ended === undefined ? "" : `; it ended with ${endOf(ended)}`;
    return [{ about: "container", sentence: `Container ${name} keeps ending (${restartCount} restarts)${how}. See its log: kubectl logs --previous.` }];
  }
  if (reason !== "" && reason !== "ContainerCreating" && reason !== "PodInitializing") {
    return [{ about: "container", sentence: `Container ${name} cannot start: ${reason}${message ? `: ${message}` : ""}.` }];
  }
  if (terminated !== undefined && terminated.exitCode !== 0) {
    return [{ about: "container", sentence: `Container ${name} ended with ${endOf(terminated)}.` }];
  }
  if (running === undefined || status.ready) return [];
  const probe = newest(events, "Unhealthy")?.message;
  const why = status.started === false ? "has not started yet by its startup probe" : "is not ready by its readiness probe";
  return [{ about: "probe", sentence: `Container ${name} runs, but ${why}${probe ? `: ${probe}` : ""}.` }];
}

function endOf({ exitCode, reason, signal }: ContainerStateTerminated): string {
  if (reason === "OOMKilled") return "more memory than its limit allows (OOMKilled)";
  return `exit code ${exitCode}${signal ? `, signal ${signal}` : ""}`;
}

function gateTrouble(pod: Pod): Finding[] {
  const waiting = (pod.spec.readinessGates ?? []).filter(({ conditionType }) => conditionOf(pod, conditionType)?.status !== "True");
  if (waiting.length === 0) return [];
  const names = waiting.map(({ conditionType }) => conditionType).join(", ");
  return [{ about: "probe", sentence: `It is not ready before somebody sets its readiness gates to True: ${names}.` }];
}
