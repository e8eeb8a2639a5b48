/** A KMS v2 plugin for tests: a real gRPC server on a Unix socket, with keys of its own. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import type { Message } from "#wire/protobuf.ts";
import {
  DecryptRequest,
  DecryptResponse,
  EncryptRequest,
  EncryptResponse,
  StatusRequest,
  StatusResponse,
} from "../kms/kms-messages.ts";

export interface TestPlugin extends AsyncDisposable {
  /** The key that is used; each ID has a key of its own. */
  keyId: string;
  healthz: string;
  /** Names of calls, in order. */
  readonly calls: string[];
}

const nonceBytes = 12;
const tagBytes = 16;

export async function startTestPlugin(socketPath: string): Promise<TestPlugin> {
  const server = new grpc.Server();
  const plugin: TestPlugin = {
    keyId: "key-1",
    healthz: "ok",
    calls: [],
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
  const keyOf = (keyId: string): Buffer => createHash("sha256").update(keyId).digest();
  server.addService(
    {
      Status: methodOf("Status", StatusRequest, StatusResponse),
      Encrypt: methodOf("Encrypt", EncryptRequest, EncryptResponse),
      Decrypt: methodOf("Decrypt", DecryptRequest, DecryptResponse),
    },
    {
      Status: answering(plugin, "Status", () => ({ version: "v2", healthz: plugin.healthz, keyId: plugin.keyId })),
      Encrypt: answering(plugin, "Encrypt", ({ plaintext }: { plaintext: Uint8Array }) => {
        const nonce = randomBytes(nonceBytes);
        const cipher = createCipheriv("aes-256-gcm", keyOf(plugin.keyId), nonce);
        const ciphertext = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
        const annotations = new Map([["version.plugin.example", Buffer.from("1")]]);
        return { ciphertext, keyId: plugin.keyId, annotations };
      }),
      Decrypt: answering(plugin, "Decrypt", ({ ciphertext, keyId }: { ciphertext: Uint8Array; keyId: string }) => {
        const decipher = createDecipheriv("aes-256-gcm", keyOf(keyId), ciphertext.subarray(0, nonceBytes));
        decipher.setAuthTag(ciphertext.subarray(-tagBytes));
        const plaintext = Buffer.concat([decipher.update(ciphertext.subarray(nonceBytes, -tagBytes)), decipher.final()]);
        return { plaintext };
      }),
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.bindAsync(`unix:${socketPath}`, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  await promise;
  return plugin;
}

function methodOf<Q, R>(name: string, request: Message<never, Q>, response: Message<R, unknown>): grpc.MethodDefinition<Q, R> {
  return {
    path: `/v2.KeyManagementService/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (value) => response.encode(value),
    responseDeserialize: () => assertNever(),
  };
}

function assertNever(): never {
  throw new Error("a server reads no answers");
}

function answering<Q, R>(plugin: TestPlugin, name: string, answer: (request: Q) => R): grpc.handleUnaryCall<Q, R> {
  return ({ request }, callback) => {
    plugin.calls.push(name);
    try {
      callback(null, answer(request));
    } catch (error) {
      callback({ code: grpc.status.INTERNAL, details: String(error) });
    }
  };
}
