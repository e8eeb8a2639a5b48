/**
 * etcd's own face: the v3 gRPC API on any store, so that etcdctl and every etcd client work on it.
 * One member, no authentication, no nested transactions.
 */
import * as grpc from "@grpc/grpc-js";
import type { Clock } from "#base/clock.ts";
import { silentLogger, type Logger } from "#base/log.ts";
import type { Decoded, Encodable } from "#wire/protobuf.ts";
import type { EtcdTls } from "./etcd/connection.ts";
import {
  statusOf,
  textAuthNotEnabled,
  textKeyNotFound,
  textLeaseProvided,
  textValueProvided,
} from "./etcd/errors.ts";
import type {
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  PutRequest,
  PutResponse,
  SnapshotResponse,
} from "./etcd/messages.ts";
import { Empty, HeaderOnly } from "./etcd/messages.ts";
import * as methods from "./etcd/methods.ts";
import type { Method } from "./etcd/methods.ts";
import {
  deleteOf,
  EtcdStatusError,
  headerAt,
  putOf,
  queryOf,
  rangeResponse,
  responseOpOf,
  txnOf,
  type Header,
} from "./etcd/server-convert.ts";
import { stateHash, snapshotChunks } from "./etcd/server-snapshot.ts";
import { WatchStream, type WatchCall } from "./etcd/server-watch.ts";
import type { KeyValue, Store } from "./store.ts";

export interface EtcdServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** With `ca`, clients must come with a certificate of it. */
  readonly tls?: Required<EtcdTls>;
  readonly name?: string;
  /** Bytes on disk; 0 when absent. */
  diskBytes?(): number;
  /** Rewrites the files without what is no longer needed. */
  defragment?(): Promise<void>;
}

export interface EtcdServer extends AsyncDisposable {
  readonly port: number;
  /** As clients name it. */
  readonly endpoint: string;
}

/** The version that is told: the one whose API and guarantees this is. */
export const etcdVersion = "3.5.21";
const clusterId = 0x6b7562657473n;
const memberId = 0x6b7562656d31n;
const baseHeader: Header = { clusterId, memberId, raftTerm: 1n };
/** Most bytes of a request. Source: etcd's --max-request-bytes, with room for the message around. */
const requestBytesMax = 2 * 1024 * 1024;

export async function serveEtcd(options: EtcdServerOptions): Promise<EtcdServer> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": requestBytesMax,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 4096,
  });
  const face = new EtcdFace(options);
  for (const [service, handlers] of face.services()) server.addService(service, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    const address = `${options.host}:${options.port}`;
    server.bindAsync(address, credentialsOf(options.tls), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const endpoint = `${options.tls === undefined ? "http" : "https"}://${options.host}:${port}`;
  face.endpoint = endpoint;
  return {
    port,
    endpoint,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function credentialsOf(tls: EtcdServerOptions["tls"]): grpc.ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const pair = { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) };
  return grpc.ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true);
}

type Service = [grpc.ServiceDefinition, grpc.UntypedServiceImplementation];

class EtcdFace {
  endpoint = "";
  readonly #options: EtcdServerOptions;
  readonly #store: Store;
  readonly #log: Logger;

  constructor(options: EtcdServerOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#log = options.log ?? silentLogger;
  }

  services(): Service[] {
    return [
      ...this.#kv(),
      ...this.#leases(),
      ...this.#maintenance(),
      ...this.#auth(),
      this.#watch(),
    ];
  }

  #kv(): Service[] {
    const store = this.#store;
    return [
      this.#unary(methods.range, async (request) => {
        const result = await store.range(queryOf(request));
        return rangeResponse(request, result, headerAt(baseHeader, result.revision));
      }),
      this.#unary(methods.put, (request) => this.#put(request)),
      this.#unary(methods.deleteRange, async (request) => {
        const op = deleteOf(request);
        const { revision, results } = await store.txn({ compare: [], success: [op] });
        const [result] = results;
        const { deleted, prevKvs } = result?.op === "delete" ? result : { deleted: 0, prevKvs: [] };
        return { header: headerAt(baseHeader, revision), deleted, prevKvs };
      }),
      this.#unary(methods.txn, async (request) => {
        const { succeeded, revision, results } = await store.txn(txnOf(request));
        const header = headerAt(baseHeader, revision);
        const ops = succeeded ? request.success : request.failure;
        const responses = ops.flatMap((op, i) => {
          const result = results[i];
          return result === undefined ? [] : [responseOpOf(op, result, header)];
        });
        return { header, succeeded, responses };
      }),
      this.#unary(methods.compact, async ({ revision }) => {
        await store.compact(revision);
        return { header: this.#header() };
      }),
    ];
  }

  async #put(request: Decoded<typeof PutRequest>): Promise<Encodable<typeof PutResponse>> {
    const { INVALID_ARGUMENT } = grpc.status;
    const { key, ignoreValue, ignoreLease } = request;
    if (ignoreValue && request.value.length > 0) {
      throw new EtcdStatusError(INVALID_ARGUMENT, textValueProvided);
    }
    if (ignoreLease && request.lease !== 0n) {
      throw new EtcdStatusError(INVALID_ARGUMENT, textLeaseProvided);
    }
    let op = putOf(request);
    for (;;) {
      let before: KeyValue | undefined;
      if (ignoreValue || ignoreLease) {
        before = (await this.#store.range({ key })).entries[0];
        if (before === undefined) throw new EtcdStatusError(INVALID_ARGUMENT, textKeyNotFound);
        const value = ignoreValue ? before.value : op.value;
        op = { ...op, value, lease: ignoreLease ? before.lease : request.lease };
      }
      const number = before?.modRevision ?? 0;
      const unchanged = { key, target: "modRevision", relation: "=", number } as const;
      const compare = before === undefined ? [] : [unchanged];
      const { succeeded, revision, results } = await this.#store.txn({ compare, success: [op] });
      if (!succeeded) continue;
      const [result] = results;
      const prevKv = request.prevKv && result?.op === "put" ? result.prevKv : undefined;
      return { header: headerAt(baseHeader, revision), prevKv };
    }
  }

  #leases(): Service[] {
    const store = this.#store;
    return [
      this.#unary(methods.leaseGrant, async ({ ttl, id }) => {
        return { header: this.#header(), id: await store.grantLease(ttl, id), ttl };
      }),
      this.#unary(methods.leaseRevoke, async ({ id }) => {
        await store.revokeLease(id);
        return { header: this.#header() };
      }),
      this.#unary(methods.leaseTimeToLive, async (request) => {
        const { id, keys, ...status } = await store.leaseStatus(request.id);
        const { remainingTtlSeconds: ttl, grantedTtlSeconds: grantedTtl } = status;
        return { header: this.#header(), id, ttl, grantedTtl, keys: request.keys ? keys : [] };
      }),
      this.#unary(methods.leaseLeases, async () => {
        return { header: this.#header(), leases: (await store.leases()).map((id) => ({ id })) };
      }),
      [
        definition(methods.leaseKeepAlive, true, true),
        { call: (call: KeepAliveCall) => this.#keepAlive(call) },
      ],
    ];
  }

  #keepAlive(call: KeepAliveCall): void {
    call.on("data", ({ id }: Decoded<typeof LeaseKeepAliveRequest>) => {
      this.#store.keepLeaseAlive(id).then(
        (ttl) => call.write({ header: this.#header(), id, ttl }),
        // A time to live of nothing says that the lease is gone.
        () => call.write({ header: this.#header(), id, ttl: 0 }),
      );
    });
    call.on("end", () => call.end());
    call.on("error", () => {});
  }

  #maintenance(): Service[] {
    const { name = "default", diskBytes, defragment } = this.#options;
    return [
      this.#unary(methods.memberList, async () => {
        const urls = [this.endpoint];
        const member = { id: memberId, name, peerUrls: urls, clientUrls: urls };
        return { header: this.#header(), members: [member] };
      }),
      this.#unary(methods.alarm, async () => ({ header: this.#header() })),
      this.#unary(methods.status, async () => {
        const { revision } = this.#store;
        const dbSize = diskBytes?.() ?? 0;
        const raft = {
          leader: memberId,
          raftIndex: revision,
          raftTerm: 1,
          raftAppliedIndex: revision,
        };
        return {
          header: this.#header(),
          version: etcdVersion,
          dbSize,
          dbSizeInUse: dbSize,
          ...raft,
        };
      }),
      this.#unary(methods.defragment, async () => {
        await defragment?.();
        return { header: this.#header() };
      }),
      this.#unary(methods.hash, async () => {
        return { header: this.#header(), hash: await stateHash(this.#store, 0) };
      }),
      this.#unary(methods.hashKv, async ({ revision }) => {
        return { header: this.#header(), hash: await stateHash(this.#store, revision) };
      }),
      [
        definition(methods.snapshot, false, true),
        { call: (call: SnapshotCall) => void this.#snapshot(call) },
      ],
    ];
  }

  async #snapshot(call: SnapshotCall): Promise<void> {
    try {
      for await (const { blob, remainingBytes } of snapshotChunks(this.#store)) {
        if (call.cancelled) return;
        const header = this.#header();
        if (!call.write({ header, blob, remainingBytes })) {
          await new Promise((resolve) => call.once("drain", resolve));
        }
      }
      call.end();
    } catch (error) {
      call.emit("error", this.#statusOf(error));
    }
  }

  /** Nobody can log in: clients that try are told so in etcd's words. */
  #auth(): Service[] {
    const refuse = async (): Promise<never> => {
      throw new EtcdStatusError(grpc.status.FAILED_PRECONDITION, textAuthNotEnabled);
    };
    const names = ["Authenticate", "AuthDisable", "UserList", "RoleList"];
    return [
      this.#unary(methods.authStatus, async () => ({ header: this.#header(), enabled: false })),
      ...names.map((name) => {
        const path = `/etcdserverpb.Auth/${name}`;
        return this.#unary({ path, request: Empty, response: HeaderOnly }, refuse);
      }),
    ];
  }

  #watch(): Service {
    const open = (call: WatchCall): void => {
      new WatchStream(this.#store, this.#options.clock, baseHeader, call);
    };
    return [definition(methods.watch, true, true), { call: open }];
  }

  #header(): Header {
    return headerAt(baseHeader, this.#store.revision);
  }

  #unary<ReqIn, ReqOut, ResIn, ResOut>(
    method: Method<ReqIn, ReqOut, ResIn, ResOut>,
    answer: (request: ReqOut) => Promise<ResIn>,
  ): Service {
    const call = (
      { request }: grpc.ServerUnaryCall<ReqOut, ResIn>,
      respond: grpc.sendUnaryData<ResIn>,
    ): void => {
      // The call starts inside a promise so that a request refused at once is answered as well.
      Promise.resolve(request)
        .then(answer)
        .then(
          (response) => respond(null, response),
          (error: unknown) => respond(this.#statusOf(error)),
        );
    };
    return [definition(method, false, false), { call }];
  }

  #statusOf(error: unknown): { code: grpc.status; details: string } {
    const answer = error instanceof EtcdStatusError ? error.status : statusOf(error);
    if (answer.code === grpc.status.INTERNAL) this.#log.error("etcd call failed", error);
    return answer;
  }
}

type KeepAliveCall = grpc.ServerDuplexStream<
  Decoded<typeof LeaseKeepAliveRequest>,
  Encodable<typeof LeaseKeepAliveResponse>
>;
type SnapshotCall = grpc.ServerWritableStream<unknown, Encodable<typeof SnapshotResponse>>;

/** A service of one method: methods are looked up by path, whatever service they came with. */
function definition<ReqIn, ReqOut, ResIn, ResOut>(
  method: Method<ReqIn, ReqOut, ResIn, ResOut>,
  requestStream: boolean,
  responseStream: boolean,
): grpc.ServiceDefinition {
  return {
    call: {
      path: method.path,
      requestStream,
      responseStream,
      requestSerialize: (value: ReqIn) => method.request.encode(value),
      requestDeserialize: (bytes: Buffer) => method.request.decode(bytes),
      responseSerialize: (value: ResIn) => method.response.encode(value),
      responseDeserialize: (bytes: Buffer) => method.response.decode(bytes),
    },
  };
}
