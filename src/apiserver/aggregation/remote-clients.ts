import type { HttpClient } from "#base/http.ts";
import type { OpenRemote, RemoteTarget } from "./remote-service.ts";

/** Connections to extension servers that are kept; the one unused longest goes first. */
export const remoteClientsMax = 64;

/** Connections to extension servers, one for each way to reach one. */
export class RemoteClients implements Disposable {
  readonly #open: OpenRemote;
  readonly #clients = new Map<string, HttpClient>();

  constructor(open: OpenRemote) {
    this.#open = open;
  }

  of(target: RemoteTarget): HttpClient {
    const key = JSON.stringify(target);
    const client = this.#clients.get(key) ?? this.#open(target);
    this.#clients.delete(key);
    this.#clients.set(key, client);
    this.#closeOldest();
    return client;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) void client[Symbol.asyncDispose]();
  }

  #closeOldest(): void {
    const [oldest] = this.#clients;
    if (this.#clients.size <= remoteClientsMax || oldest === undefined) return;
    const [key, client] = oldest;
    this.#clients.delete(key);
    void client[Symbol.asyncDispose]();
  }
}
