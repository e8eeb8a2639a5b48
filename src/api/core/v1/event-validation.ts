import { invalid, required } from "#apimachinery/field-error.ts";
import {
  byteLengthOf,
  type Findings,
  validateQualifiedName,
} from "#apimachinery/validation/checks.ts";
import type { Event } from "./event.ts";

/** Source: pkg/apis/core/validation/events.go. */
const instanceLengthMax = 128;
const actionLengthMax = 128;
const reasonLengthMax = 128;
const noteLengthMax = 1024;

/**
 * An event as core/v1 has it. Those of old clients have no `eventTime` and few rules; the others
 * follow events.k8s.io.
 */
export function* validateEvent(event: Event): Findings {
  yield* validateNamespaces(event);
  if (event.eventTime !== undefined) yield* validateNewEvent(event);
}

const clusterKinds = new Set(["Node", "Namespace", "PersistentVolume"]);

/** Events of cluster-scoped objects live in `default`; others with their object. */
function* validateNamespaces({ metadata, involvedObject }: Event): Findings {
  const namespace = metadata.namespace ?? "";
  const involved = involvedObject.namespace ?? "";
  if (involved === "" && namespace === "default") return;
  if (
    involved === "" &&
    clusterKinds.has(involvedObject.kind ?? "") &&
    namespace === "kube-system"
  ) {
    return;
  }
  if (involved !== namespace) {
    yield invalid("involvedObject.namespace", involved, "does not match event.namespace");
  }
}

function* validateNewEvent(event: Event): Findings {
  const { reportingComponent: component, reportingInstance: instance } = event;
  if (component === "") yield required("reportingComponent", "");
  yield* validateQualifiedName(component, "reportingComponent");
  if (instance === "") yield required("reportingInstance", "");
  yield* validateLength(instance, "reportingInstance", instanceLengthMax);
  const { action = "", reason = "", message = "" } = event;
  if (action === "") yield required("action", "");
  yield* validateLength(action, "action", actionLengthMax);
  if (reason === "") yield required("reason", "");
  yield* validateLength(reason, "reason", reasonLengthMax);
  yield* validateLength(message, "message", noteLengthMax);
}

function* validateLength(value: string, path: string, lengthMax: number): Findings {
  if (byteLengthOf(value) > lengthMax) {
    yield invalid(path, "", `can have at most ${lengthMax} characters`);
  }
}
