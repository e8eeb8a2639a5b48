/** Exec, attach, port-forward and run: bridges between clients and the runtime's streams. */
import { errorMessage } from "#base/error-message.ts";
import type { HttpClient } from "#base/http.ts";
import { acceptPortForward, dialPortForward } from "#wire/port-forward.ts";
import { acceptRemoteCommand, type RemoteCommandRequest } from "#wire/remote-command.ts";
import { bridgeRemoteCommand, dialRemoteCommand } from "#wire/remote-command-client.ts";
import { findContainer, uidOf } from "../pod/container-list.ts";
import { isRunning, latestContainer, readySandbox } from "../pod/pod-runtime.ts";
import type { PodWorker } from "../pod/pod-worker.ts";
import { refuse, type Routed } from "./kubelet-server.ts";

/** `/{verb}/{namespace}/{pod}/[{uid}/]{container}`. */
interface Target {
  readonly worker: PodWorker;
  readonly containerName: string;
  readonly containerId: string;
}

/** Undefined when there is none; the exchange is answered then. */
function targetOf({ exchange, parts, options }: Routed): Target | undefined {
  const [namespace = "", name = ""] = parts;
  const containerName = parts.at(-1) ?? "";
  const uid = parts.length > 3 ? parts[2] : undefined;
  const worker = options.kubelet.pods.find(`${namespace}/${name}`);
  if (worker === undefined || (uid !== undefined && uidOf(worker.pod) !== uid)) {
    refuse(exchange, 404, "pod does not exist");
    return undefined;
  }
  const instance = latestContainer(worker.runtime, containerName);
  if (instance !== undefined && isRunning(instance)) {
    return { worker, containerName, containerId: instance.id };
  }
  refuse(exchange, 500, `container not found (${JSON.stringify(containerName)})`);
  return undefined;
}

/** Source: cri/streaming/remotecommand NewOptions. */
function streamsOf(query: URLSearchParams): RemoteCommandRequest | undefined {
  const on = (name: string): boolean => query.get(name) === "1" || query.get(name) === "true";
  const tty = on("tty");
  const request = { tty, stdin: on("input"), stdout: on("output"), stderr: on("error") && !tty };
  return request.stdin || request.stdout || request.stderr ? request : undefined;
}

const noStreams = "you must specify at least 1 of stdin, stdout, stderr";

export async function serveExec(routed: Routed): Promise<void> {
  const { exchange, query, options } = routed;
  const target = targetOf(routed);
  if (target === undefined) return;
  const request = streamsOf(query);
  if (request === undefined) return refuse(exchange, 400, noStreams);
  const { runtime } = options.kubelet.services.cri;
  const command = query.getAll("command");
  const url = runtime.exec({ ...request, command, containerId: target.containerId });
  await bridgeTo(routed, request, url);
}

export async function serveAttach(routed: Routed): Promise<void> {
  const { exchange, query, options } = routed;
  const target = targetOf(routed);
  if (target === undefined) return;
  const asked = streamsOf(query);
  if (asked === undefined) return refuse(exchange, 400, noStreams);
  // Whether there is a terminal was decided when the container was made.
  const tty = findContainer(target.worker.pod, target.containerName)?.container.tty === true;
  const request = { ...asked, tty, stderr: asked.stderr && !tty };
  const { runtime } = options.kubelet.services.cri;
  const url = runtime.attach({ ...request, containerId: target.containerId });
  await bridgeTo(routed, request, url);
}

/** The container may have ended since it was looked at: that is the client's to know. */
async function bridgeTo(
  routed: Routed,
  request: RemoteCommandRequest,
  url: Promise<string>,
): Promise<void> {
  const found = await url.catch((error: unknown) => {
    refuse(routed.exchange, 500, errorMessage(error));
    return undefined;
  });
  if (found !== undefined) await bridge(routed, request, found);
}

async function bridge(routed: Routed, request: RemoteCommandRequest, url: string): Promise<void> {
  const { exchange, options } = routed;
  const { clock, log } = options.kubelet.services.world;
  const session = await acceptRemoteCommand(exchange, request, clock);
  if (session === undefined) return;
  await using client = clientOf(routed, url);
  try {
    const command = await dialRemoteCommand(client, request, {
      path: pathOf(url),
      signal: session.signal,
    });
    await bridgeRemoteCommand(session, command);
  } catch (error) {
    log.warn("stream to the runtime failed", { error });
    const message = errorMessage(error);
    await session.finish({ status: "Failure", reason: "InternalError", code: 500, message });
  }
}

export async function servePortForward(routed: Routed): Promise<void> {
  const { exchange, parts, query, options } = routed;
  const [namespace = "", name = "", uid] = parts;
  const { pods, services } = options.kubelet;
  const worker = pods.find(`${namespace}/${name}`);
  if (worker === undefined || (uid !== undefined && uidOf(worker.pod) !== uid)) {
    return refuse(exchange, 404, "pod does not exist");
  }
  const sandbox = readySandbox(worker.runtime);
  if (sandbox === undefined)
    return refuse(exchange, 500, `pod not found (${JSON.stringify(`${name}_${namespace}`)})`);
  const ports = query.getAll("port").flatMap((text) => text.split(",").map(Number));
  const url = await services.cri.runtime.portForward(sandbox.id, ports);
  const client = clientOf(routed, url);
  const forwarding = dialPortForward(client, { path: pathOf(url), signal: exchange.signal });
  forwarding.catch(() => undefined);
  const session = await acceptPortForward(exchange, {
    ports,
    clock: services.world.clock,
    onConnection(connection) {
      forwarding.then(
        (forwarder) => {
          const { data, error } = forwarder.connect(connection.port);
          connection.data.pipe(data).pipe(connection.data);
          void error.then(
            (message) => message !== "" && connection.fail(message),
            () => undefined,
          );
        },
        (error: unknown) => connection.fail(errorMessage(error)),
      );
    },
  });
  await session?.closed;
  await forwarding.then(
    (forwarder) => forwarder.close(),
    () => undefined,
  );
  await client[Symbol.asyncDispose]();
}

/** Runs a command to its end and answers what it printed. Source: server.go getRun. */
export async function serveRun(routed: Routed): Promise<void> {
  const { exchange, query, options } = routed;
  const target = targetOf(routed);
  if (target === undefined) return;
  const command = (query.get("cmd") ?? "").split(" ");
  const { runtime } = options.kubelet.services.cri;
  const { stdout, stderr, exitCode } = await runtime.execSync(target.containerId, command, 0);
  const output = Buffer.concat([stdout, stderr]);
  if (exitCode === 0) return exchange.respond(200, { "content-type": "text/plain" }, output);
  refuse(
    exchange,
    500,
    `command '${command.join(" ")}' exited with ${exitCode}: ${output.toString("utf8")}`,
  );
}

function clientOf({ options }: Routed, url: string): HttpClient {
  return options.openHttpClient(new URL(url).origin);
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
