/** A KMS plugin behind a Unix socket. Source: apiserver/pkg/storage/value/encrypt/envelope/kmsv2/grpc_service.go. */
import type { Client } from "@grpc/grpc-js";
import type { Clock } from "#base/clock.ts";
import type { Message } from "#wire/protobuf.ts";
import {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  StatusRequest,
  StatusResponse,
} from "./kms-messages.ts";

/** Rejects with Go's text of a gRPC error when the plugin fails, is away, or takes too long. */
export interface KmsService extends Disposable {
  status(): Promise<StatusResponse>;
  /** `uid` is for the plugin's log. */
  encrypt(uid: string, plaintext: Uint8Array): Promise<EncryptResponse>;
  decrypt(request: DecryptRequest): Promise<Uint8Array>;
}

export interface KmsServiceOptions {
  /** `unix:///run/kms.sock`. */
  readonly endpoint: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const reconnectMinMs = 50;
const reconnectMaxMs = 3000;

/** Loads the gRPC library: those alone who have a plugin need it. Connects at the first call. */
export async function openKmsService({ endpoint, timeoutMs, clock }: KmsServiceOptions): Promise<KmsService> {
  const grpc = await import("@grpc/grpc-js");
  const client: Client = new grpc.Client(`unix:${socketPathOf(endpoint)}`, grpc.credentials.createInsecure(), {
    "grpc.default_authority": "localhost",
    "grpc.initial_reconnect_backoff_ms": reconnectMinMs,
    "grpc.max_reconnect_backoff_ms": reconnectMaxMs,
  });

  function call<Q, R>(name: string, codec: { request: Message<Q, unknown>; response: Message<never, R> }, request: Q): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    client.makeUnaryRequest(
      `/v2.KeyManagementService/${name}`,
      (value: Q) => codec.request.encode(value),
      (bytes: Buffer) => codec.response.decode(bytes),
      request,
      new grpc.Metadata({ waitForReady: true }),
      { deadline: clock.nowMs() + timeoutMs },
      (error, value) => {
        if (value !== undefined) return resolve(value);
        const code = goCodeName(grpc.status[error?.code ?? grpc.status.INTERNAL]);
        reject(new Error(`rpc error: code = ${code} desc = ${error?.details ?? "empty answer"}`, { cause: error }));
      },
    );
    return promise;
  }

  return {
    status: () => call("Status", { request: StatusRequest, response: StatusResponse }, {}),
    encrypt: (uid, plaintext) => call("Encrypt", { request: EncryptRequest, response: EncryptResponse }, { uid, plaintext }),
    async decrypt(request) {
      return (await call("Decrypt", { request: DecryptRequest, response: DecryptResponse }, request)).plaintext;
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function socketPathOf(endpoint: string): string {
  const rest = endpoint.slice("unix:".length);
  return rest.startsWith("//") ? rest.slice(2).replace(/^[^/]*/, "") : rest;
}

/** `DEADLINE_EXCEEDED` -> `DeadlineExceeded`. */
function goCodeName(name: string): string {
  return name
    .toLowerCase()
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
