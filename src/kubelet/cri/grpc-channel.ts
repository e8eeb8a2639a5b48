import type { Client, Metadata, ServiceError } from "@grpc/grpc-js";
import type { Clock } from "#base/clock.ts";
import type { Message } from "#wire/protobuf.ts";
import { type GrpcCode, grpcCodes, RuntimeError } from "./runtime.ts";

/** One gRPC connection over a Unix socket, with our own messages. Reconnects by itself. */
export interface GrpcChannel extends Disposable {
  call<Q, R>(method: Method<Q, R>, request: Q, options?: CallOptions): Promise<R>;
  /** A server stream; `ended` is called once, with an error unless it ended in peace. */
  stream<Q, R>(method: Method<Q, R>, request: Q, sink: StreamSink<R>): Disposable;
}

export interface Method<Q, R> {
  /** `/runtime.v1.RuntimeService/Version`. */
  readonly path: string;
  readonly request: Message<Q, unknown>;
  readonly response: Message<never, R>;
}

export interface CallOptions {
  /** @default 120,000 (the kubelet's runtimeRequestTimeout); 0 waits for ever */
  readonly timeoutMs?: number;
  /** Wait for the server to appear instead of failing. */
  readonly waitForReady?: boolean;
}

export interface StreamSink<T> {
  readonly next: (value: T) => void;
  readonly ended: (error: RuntimeError | undefined) => void;
}

/** Source: kubelet runtimeRequestTimeout. */
const callTimeoutMs = 120_000;
/** Largest message taken. Source: cri-client maxMsgSize. */
const messageBytesMax = 16 << 20;
const reconnectMinMs = 50;
const reconnectMaxMs = 3000;

/** Loads the gRPC library on first use: it is not needed by a control plane without nodes. */
export async function openGrpcChannel(
  socketPath: string,
  options: { readonly clock: Clock; readonly headers?: Readonly<Record<string, string>> },
): Promise<GrpcChannel> {
  const grpc = await import("@grpc/grpc-js");
  const client: Client = new grpc.Client(`unix:${socketPath}`, grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": messageBytesMax,
    "grpc.initial_reconnect_backoff_ms": reconnectMinMs,
    "grpc.max_reconnect_backoff_ms": reconnectMaxMs,
  });

  function metadata(waitForReady: boolean): Metadata {
    const made = new grpc.Metadata({ waitForReady });
    for (const [name, value] of Object.entries(options.headers ?? {})) made.set(name, value);
    return made;
  }

  return {
    call<Q, R>(
      method: Method<Q, R>,
      request: Q,
      { timeoutMs = callTimeoutMs, waitForReady = false }: CallOptions = {},
    ) {
      const deadline = timeoutMs === 0 ? {} : { deadline: options.clock.nowMs() + timeoutMs };
      const { promise, resolve, reject } = Promise.withResolvers<R>();
      client.makeUnaryRequest(
        method.path,
        (value: Q) => method.request.encode(value),
        (bytes: Buffer) => method.response.decode(bytes),
        request,
        metadata(waitForReady),
        deadline,
        (error, value) => {
          if (error) reject(runtimeErrorOf(error));
          else if (value === undefined) reject(new RuntimeError("INTERNAL", "empty answer"));
          else resolve(value);
        },
      );
      return promise;
    },
    stream<Q, R>(method: Method<Q, R>, request: Q, sink: StreamSink<R>) {
      const call = client.makeServerStreamRequest(
        method.path,
        (value: Q) => method.request.encode(value),
        (bytes: Buffer) => method.response.decode(bytes),
        request,
        metadata(false),
      );
      let open = true;
      const end = (error: RuntimeError | undefined): void => {
        if (open) sink.ended(error);
        open = false;
      };
      call.on("data", sink.next);
      call.on("error", (error: ServiceError) => end(runtimeErrorOf(error)));
      call.on("end", () => end(undefined));
      return {
        [Symbol.dispose]() {
          open = false;
          call.cancel();
        },
      };
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function runtimeErrorOf(error: ServiceError): RuntimeError {
  const code: GrpcCode = grpcCodes[error.code] ?? "UNKNOWN";
  return new RuntimeError(code, error.details, { cause: error });
}
