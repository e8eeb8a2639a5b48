import { forbidden, invalid, required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateNonNegative,
  validateRequired,
  validateSupported,
} from "#apimachinery/validation/checks.ts";
import { validatePort } from "#apimachinery/validation/ports.ts";
import { checkHttpHeaderName } from "#apimachinery/validation/syntax.ts";
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from "./probe.ts";

/** Probes and lifecycle hooks. `graceSeconds` bounds how long a hook may sleep. */
export function* validateLivenessProbe(probe: Probe | undefined, path: string): Findings {
  if (probe === undefined) return;
  yield* validateProbe(probe, path);
  if (probe.successThreshold !== 1) {
    yield invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, "must be 1");
  }
}

export function* validateReadinessProbe(probe: Probe | undefined, path: string): Findings {
  if (probe === undefined) return;
  yield* validateProbe(probe, path);
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined) {
    const detail = "must not be set for readinessProbes";
    yield invalid(`${path}.terminationGracePeriodSeconds`, seconds, detail);
  }
}

function* validateProbe(probe: Probe, path: string): Findings {
  yield* validateHandler(probe, path, undefined);
  for (const field of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    yield* validateNonNegative(probe[field], `${path}.${field}`);
  }
  const seconds = probe.terminationGracePeriodSeconds;
  if (seconds !== undefined && seconds <= 0) {
    yield invalid(`${path}.terminationGracePeriodSeconds`, seconds, "must be greater than 0");
  }
}

export function* validateLifecycle(
  lifecycle: Lifecycle | undefined,
  path: string,
  graceSeconds: number | undefined,
): Findings {
  if (lifecycle?.postStart !== undefined) {
    yield* validateHandler(lifecycle.postStart, `${path}.postStart`, graceSeconds);
  }
  if (lifecycle?.preStop !== undefined) {
    yield* validateHandler(lifecycle.preStop, `${path}.preStop`, graceSeconds);
  }
}

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> &
  Pick<LifecycleHandler, "sleep">;

const handlerNames = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

function* validateHandler(
  handler: Handler,
  path: string,
  graceSeconds: number | undefined,
): Findings {
  const given = handlerNames.filter((name) => handler[name] !== undefined);
  const [first, ...others] = given;
  if (first === undefined) {
    yield required(path, "must specify a handler type");
    return;
  }
  yield* validateAction({ [first]: handler[first] }, `${path}.${first}`, graceSeconds);
  for (const name of others) {
    yield forbidden(`${path}.${name}`, "may not specify more than 1 handler type");
  }
}

function* validateAction(
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  path: string,
  graceSeconds: number | undefined,
): Findings {
  if (exec !== undefined && (exec.command ?? []).length === 0)
    yield required(`${path}.command`, "");
  if (httpGet !== undefined) yield* validateHttpGet(httpGet, path);
  if (tcpSocket !== undefined) yield* validatePort(tcpSocket.port, `${path}.port`);
  if (grpc !== undefined) yield* validatePort(grpc.port, `${path}.port`);
  if (sleep === undefined || graceSeconds === undefined) return;
  if (sleep.seconds < 0 || sleep.seconds > graceSeconds) {
    const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
    yield invalid(path, sleep.seconds, detail);
  }
}

function* validateHttpGet(action: HTTPGetAction, path: string): Findings {
  yield* validateRequired(action.path, `${path}.path`);
  yield* validatePort(action.port, `${path}.port`);
  yield* validateSupported(action.scheme ?? "", ["HTTP", "HTTPS"], `${path}.scheme`);
  for (const { name } of action.httpHeaders ?? []) {
    yield* invalidTexts(`${path}.httpHeaders`, name, checkHttpHeaderName(name));
  }
}
