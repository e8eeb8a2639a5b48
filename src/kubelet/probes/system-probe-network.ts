import { errorMessage } from "#base/error-message.ts";
import { isIoError } from "#base/files.ts";
import type { HttpResponse } from "#base/http.ts";
import { dial } from "#base/os/dial.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import { int32, message, string } from "#wire/protobuf.ts";
import { urlText } from "./http-request.ts";
import type {
  GrpcHealth,
  GrpcHealthRequest,
  HttpProbeRequest,
  HttpProbeResponse,
  ProbeNetwork,
} from "./probe-network.ts";

/** Source: pkg/probe/http maxRespBodyLength, net/http's limit of redirects. */
const bodyBytesMax = 10 * 1024;
const redirectsMax = 10;

/** Probes from this process's own network. */
export const systemProbeNetwork: ProbeNetwork = {
  httpGet: (request) => httpGet(request, redirectsMax),
  async connect(host, port, timeoutMs) {
    (await dial({ host, port }, { timeoutMs })).destroy();
  },
  grpcHealth,
};

async function httpGet(
  request: HttpProbeRequest,
  redirectsLeft: number,
): Promise<HttpProbeResponse> {
  const url = new URL(urlText(request));
  await using client = createHttpClient({
    baseUrl: url.origin,
    tls: { insecure: true },
    keepAlive: false,
    connectMs: request.timeoutMs,
  });
  const signal = AbortSignal.timeout(request.timeoutMs);
  try {
    const { pathname, search } = url;
    const response = await client.request({
      method: "GET",
      path: pathname + search,
      headers: request.headers,
      signal,
    });
    const location =
      response.status >= 300 && response.status < 400 ? response.headers["location"] : undefined;
    const next = location === undefined ? url : new URL(location, url);
    if (location === undefined || next.hostname !== url.hostname) {
      const answer = { status: response.status, body: await startOf(response) };
      return location === undefined ? answer : { ...answer, redirectedTo: next.href };
    }
    response.discard();
    return await redirected(request, next, redirectsLeft);
  } catch (error) {
    throw new Error(`Get ${JSON.stringify(url.href)}: ${reasonText(error)}`, { cause: error });
  }
}

function redirected(
  request: HttpProbeRequest,
  next: URL,
  redirectsLeft: number,
): Promise<HttpProbeResponse> {
  if (redirectsLeft === 0) throw new Error("stopped after 10 redirects");
  const scheme = next.protocol === "https:" ? "https" : "http";
  const port = Number(next.port) || (scheme === "https" ? 443 : 80);
  return httpGet(
    { ...request, scheme, port, path: next.pathname + next.search },
    redirectsLeft - 1,
  );
}

async function startOf(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes >= bodyBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bodyBytesMax).toString("utf8");
}

/** Go's words for a request that took too long. */
function reasonText(error: unknown): string {
  if (error instanceof DOMException || isIoError(error, "ETIMEDOUT")) {
    return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
  }
  return errorMessage(error);
}

const HealthRequest = message({ service: string(1) });
const HealthResponse = message({ status: int32(1) });
const healthNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;

async function grpcHealth({
  host,
  port,
  service,
  timeoutMs,
}: GrpcHealthRequest): Promise<GrpcHealth> {
  const grpc = await import("@grpc/grpc-js");
  const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const client = new grpc.Client(target, grpc.credentials.createInsecure());
  const { promise, resolve } = Promise.withResolvers<GrpcHealth>();
  const timeout = AbortSignal.timeout(timeoutMs);
  const call = client.makeUnaryRequest(
    "/grpc.health.v1.Health/Check",
    (value: { service: string }) => HealthRequest.encode(value),
    (bytes: Buffer) => HealthResponse.decode(bytes),
    { service },
    (error, answer) => {
      if (error) {
        const code = timeout.aborted ? "TIMEOUT" : (grpc.status[error.code] ?? "UNKNOWN");
        resolve({ status: "ERROR", code, message: error.details });
      } else resolve({ status: healthNames[answer?.status ?? 0] ?? "UNKNOWN" });
    },
  );
  timeout.addEventListener("abort", () => call.cancel());
  try {
    return await promise;
  } finally {
    client.close();
  }
}
