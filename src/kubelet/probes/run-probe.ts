import { errorMessage } from "#base/error-message.ts";
import type { Container } from "#api/core/v1/container.ts";
import type { Probe } from "#api/core/v1/probe.ts";
import { isRuntimeError, type RuntimeService } from "../cri/runtime.ts";
import { expand } from "../pod/expand.ts";
import { httpRequestOf, portOf } from "./http-request.ts";
import type { ProbeNetwork } from "./probe-network.ts";

export type ProbeOutcome =
  | { readonly result: "success"; readonly output: string; readonly warning?: boolean }
  | { readonly result: "failure"; readonly output: string }
  /** The probe itself could not be carried out. */
  | { readonly result: "error"; readonly output: string };

export interface ProbeTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

export interface ProbePorts {
  readonly runtime: RuntimeService;
  readonly network: ProbeNetwork;
}

/** Carries a probe out once; never rejects. Source: kubelet/prober/prober.go, pkg/probe. */
export async function runProbe(
  probe: Probe,
  target: ProbeTarget,
  ports: ProbePorts,
): Promise<ProbeOutcome> {
  try {
    if (probe.exec !== undefined) return await runExec(probe, target, ports.runtime);
    if (probe.httpGet !== undefined) return await runHttp(probe, target, ports.network);
    if (probe.tcpSocket !== undefined) return await runTcp(probe, target, ports.network);
    if (probe.grpc !== undefined) return await runGrpc(probe, target, ports.network);
    return { result: "error", output: `missing probe handler for ${target.container.name}` };
  } catch (error) {
    return { result: "error", output: errorMessage(error) };
  }
}

export function probeTimeoutSeconds({ timeoutSeconds }: Probe): number {
  return timeoutSeconds === undefined || timeoutSeconds === 0 ? 1 : timeoutSeconds;
}

async function runExec(
  probe: Probe,
  { container, containerId }: ProbeTarget,
  runtime: RuntimeService,
): Promise<ProbeOutcome> {
  const known = new Map((container.env ?? []).map(({ name, value = "" }) => [name, value]));
  const command = (probe.exec?.command ?? []).map((word) =>
    expand(word, (name) => known.get(name)),
  );
  const timeoutSeconds = probeTimeoutSeconds(probe);
  try {
    const { stdout, stderr, exitCode } = await runtime.execSync(
      containerId,
      command,
      timeoutSeconds,
    );
    const output = Buffer.concat([stdout, stderr]).toString("utf8");
    return { result: exitCode === 0 ? "success" : "failure", output };
  } catch (error) {
    if (!isRuntimeError(error, "DEADLINE_EXCEEDED")) throw error;
    return {
      result: "failure",
      output: `command timed out: ${JSON.stringify(command.join(" "))} timed out after ${timeoutSeconds}s`,
    };
  }
}

async function runHttp(
  probe: Probe,
  target: ProbeTarget,
  network: ProbeNetwork,
): Promise<ProbeOutcome> {
  const timeoutMs = probeTimeoutSeconds(probe) * 1000;
  const request = httpRequestOf(probe.httpGet ?? { port: 0 }, { ...target, timeoutMs });
  try {
    const { status, body, redirectedTo } = await network.httpGet(request);
    if (redirectedTo !== undefined) {
      return {
        result: "success",
        warning: true,
        output: `Probe terminated redirects, Response body: ${body}`,
      };
    }
    if (status >= 200 && status < 400) return { result: "success", output: body };
    return { result: "failure", output: `HTTP probe failed with statuscode: ${status}` };
  } catch (error) {
    return { result: "failure", output: errorMessage(error) };
  }
}

async function runTcp(
  probe: Probe,
  target: ProbeTarget,
  network: ProbeNetwork,
): Promise<ProbeOutcome> {
  const { port, host } = probe.tcpSocket ?? { port: 0 };
  const number = portOf(port, target.container);
  try {
    await network.connect(host ? host : target.podIp, number, probeTimeoutSeconds(probe) * 1000);
    return { result: "success", output: "" };
  } catch (error) {
    return { result: "failure", output: errorMessage(error) };
  }
}

/** Source: pkg/probe/grpc/grpc.go. */
async function runGrpc(
  probe: Probe,
  { podIp }: ProbeTarget,
  network: ProbeNetwork,
): Promise<ProbeOutcome> {
  const { port, service = "" } = probe.grpc ?? { port: 0 };
  const seconds = probeTimeoutSeconds(probe);
  const answer = await network.grpcHealth({
    host: podIp,
    port,
    service,
    timeoutMs: seconds * 1000,
  });
  if (answer.status === "SERVING") return { result: "success", output: "service healthy" };
  if (answer.status !== "ERROR") {
    return {
      result: "failure",
      output: `service unhealthy (responded with ${JSON.stringify(answer.status)})`,
    };
  }
  const output = grpcProblem(answer, JSON.stringify(`${podIp}:${port}`), seconds);
  return { result: "failure", output };
}

function grpcProblem(
  { code, message }: { readonly code: string; readonly message: string },
  address: string,
  seconds: number,
): string {
  if (code === "TIMEOUT") return `timeout: health rpc did not complete within ${seconds}s`;
  if (code === "UNAVAILABLE") {
    return `timeout: failed to connect service ${address} within ${seconds}s: ${message}`;
  }
  if (code !== "UNIMPLEMENTED") return `error: health rpc probe failed: ${message}`;
  const missing = "does not implement the grpc health protocol (grpc.health.v1.Health)";
  return `error: this server at ${address} ${missing}: ${message}`;
}
