/**
 * Connections to the members of an etcd cluster, one of which serves at a time.
 *
 * Invariants: 1. A call goes to a member whose connection is up. 2. A read that fails for the
 * member's sake is sent to the next one until its time is over; a write only while it is certain
 * that it had no effect.
 */
import * as grpc from "@grpc/grpc-js";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#base/log.ts";
import { StoreUnavailableError } from "../store.ts";
import { errorOf, hadNoEffect, type EtcdStatus } from "./errors.ts";
import * as methods from "./methods.ts";
import type { Method } from "./methods.ts";

export interface EtcdTls {
  /** PEM; the system's authorities when absent. */
  readonly ca?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface ConnectionOptions {
  /** `https://host:port`, `http://host:port` or `host:port`. */
  readonly endpoints: readonly string[];
  readonly tls?: EtcdTls | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** A call, with all its retries, takes no longer; `callTimeoutMsDefault` when absent. */
  readonly callTimeoutMs?: number | undefined;
}

export const callTimeoutMsDefault = 10_000;
/** One member has this long to answer a read; then the next one is asked. */
const attemptTimeoutMs = 3_000;
/** gRPC cannot be told to stop waiting for a connection: so it waits in pieces. */
const readyWaitMs = 500;

/** Source: kube-apiserver's etcd client: keepalive 30 s, timeout 10 s. */
const channelOptions: grpc.ChannelOptions = {
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.enable_retries": 0,
  // Each store has connections of its own: closing it must not touch another's.
  "grpc.use_local_subchannel_pool": 1,
};

export type Stream<Req, Res> = grpc.ClientDuplexStream<Req, Res>;

export class EtcdConnection {
  readonly #clients: grpc.Client[];
  readonly #options: ConnectionOptions;
  readonly #callTimeoutMs: number;
  readonly #clientOf = new WeakMap<object, grpc.Client>();
  #preferred = 0;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#callTimeoutMs = options.callTimeoutMs ?? callTimeoutMsDefault;
    this.#clients = options.endpoints.map((endpoint) => {
      const { address, credentials } = target(endpoint, options.tls);
      return new grpc.Client(address, credentials, channelOptions);
    });
  }

  /**
   * Errors: those of `errorOf`, `StoreUnavailableError`. `write`: is not sent again once it may
   * have had an effect.
   */
  async call<ReqIn, ReqOut, ResIn, ResOut>(
    method: Method<ReqIn, ReqOut, ResIn, ResOut>,
    request: ReqIn,
    options: { readonly write?: boolean } = {},
  ): Promise<ResOut> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + this.#callTimeoutMs;
    const encoded = method.request.encode(request);
    for (;;) {
      const leftMs = endMs - clock.monotonicMs();
      const client = await this.#ready(leftMs);
      const timeoutMs = options.write === true ? leftMs : Math.min(leftMs, attemptTimeoutMs);
      const answer = await this.#unary(client, method, encoded, timeoutMs);
      if (!("code" in answer)) return answer.response;
      const known = errorOf(answer);
      if (known !== undefined) throw known;
      this.#avoid(client);
      const again = options.write !== true || hadNoEffect(answer);
      if (this.#closed || !again || endMs <= clock.monotonicMs()) throw unavailable(answer);
      this.#options.log.debug("etcd call failed, will be sent again", {
        path: method.path,
        details: answer.details,
      });
    }
  }

  /** A stream to a member that is up. `requireLeader`: ends when the member loses the others. */
  async stream<ReqIn, ReqOut, ResIn, ResOut>(
    method: Method<ReqIn, ReqOut, ResIn, ResOut>,
    requireLeader = false,
  ): Promise<Stream<ReqIn, ResOut>> {
    const client = await this.#ready(this.#callTimeoutMs);
    const metadata = new grpc.Metadata();
    if (requireLeader) metadata.set("hasleader", "true");
    const stream: Stream<ReqIn, ResOut> = client.makeBidiStreamRequest(
      method.path,
      (value: ReqIn) => method.request.encode(value),
      (encoded: Buffer) => method.response.decode(encoded),
      metadata,
    );
    stream.on("error", () => this.#avoid(client));
    this.#clientOf.set(stream, client);
    return stream;
  }

  /** Version of the member that a stream leads to; undefined when it does not say. */
  async versionOf(stream: Stream<never, unknown>): Promise<string | undefined> {
    const client = this.#clientOf.get(stream);
    if (client === undefined) return undefined;
    const encoded = methods.status.request.encode({});
    const answer = await this.#unary(client, methods.status, encoded, attemptTimeoutMs);
    return "response" in answer ? answer.response.version : undefined;
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients) client.close();
  }

  /** The preferred member when it is up, else whichever comes up first. */
  async #ready(timeoutMs: number): Promise<grpc.Client> {
    const { clock, endpoints } = this.#options;
    const endMs = clock.monotonicMs() + timeoutMs;
    const { READY } = grpc.connectivityState;
    while (!this.#closed) {
      const preferred = this.#clients[this.#preferred] as grpc.Client;
      if (preferred.getChannel().getConnectivityState(true) === READY) return preferred;
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0) {
        throw new StoreUnavailableError(`no etcd member can be reached: ${endpoints.join(", ")}`);
      }
      const ready = await this.#firstReady(Math.min(leftMs, readyWaitMs));
      if (ready !== undefined) this.#preferred = this.#clients.indexOf(ready);
    }
    throw new StoreUnavailableError("store closed");
  }

  #firstReady(timeoutMs: number): Promise<grpc.Client | undefined> {
    const deadline = this.#options.clock.nowMs() + timeoutMs;
    const waits = this.#clients.map(
      (client) =>
        new Promise<grpc.Client>((resolve, reject) => {
          client.waitForReady(deadline, (error) => (error ? reject(error) : resolve(client)));
        }),
    );
    return Promise.any(waits).catch(() => undefined);
  }

  /** Prefers the member after this one. */
  #avoid(client: grpc.Client): void {
    if (this.#clients[this.#preferred] !== client) return;
    this.#preferred = (this.#preferred + 1) % this.#clients.length;
  }

  #unary<ReqIn, ReqOut, ResIn, ResOut>(
    client: grpc.Client,
    method: Method<ReqIn, ReqOut, ResIn, ResOut>,
    encoded: Buffer,
    timeoutMs: number,
  ): Promise<{ readonly response: ResOut } | EtcdStatus> {
    const deadline = this.#options.clock.nowMs() + timeoutMs;
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        method.path,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => method.response.decode(bytes),
        encoded,
        new grpc.Metadata(),
        { deadline },
        (error, response) => {
          if (error !== null) resolve({ code: error.code, details: error.details });
          else if (response !== undefined) resolve({ response });
          else resolve({ code: grpc.status.INTERNAL, details: "empty response" });
        },
      );
    });
  }
}

function unavailable({ code, details }: EtcdStatus): StoreUnavailableError {
  return new StoreUnavailableError(`etcd: ${details} (${grpc.status[code]})`);
}

function target(
  endpoint: string,
  tls: EtcdTls | undefined,
): { address: string; credentials: grpc.ChannelCredentials } {
  const { protocol, host } = new URL(endpoint.includes("://") ? endpoint : `http://${endpoint}`);
  const secure = protocol === "https:";
  if (!secure) return { address: host, credentials: grpc.credentials.createInsecure() };
  const pem = (text: string | Uint8Array | undefined): Buffer | null =>
    text === undefined ? null : Buffer.from(text);
  const credentials = grpc.credentials.createSsl(pem(tls?.ca), pem(tls?.key), pem(tls?.cert));
  return { address: host, credentials };
}
