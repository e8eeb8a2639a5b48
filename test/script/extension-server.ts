import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpHandler } from "#base/http.ts";
import { silentLogger } from "#base/log.ts";
import { serveHttps } from "#base/os/http.ts";
import { openWorld } from "#base/os/world.ts";
import { openLeaf, openPki } from "#cmd/pki.ts";

/** A server of a test's own on loopback: what webhooks and extension API servers are. */
export interface ExtensionServer extends AsyncDisposable {
  readonly port: number;
  /** PEM in base64, as configurations carry it. */
  readonly caBundle: string;
  /** The `clientConfig` of a webhook at `path`. */
  clientConfig(path: string): { readonly url: string; readonly caBundle: string };
}

/** Serves HTTPS under an authority of its own; `clientCa` (PEM) asks clients for certificates. */
export async function serveExtension(
  onRequest: HttpHandler,
  { dnsNames = [], clientCa }: { readonly dnsNames?: readonly string[]; readonly clientCa?: string } = {},
): Promise<ExtensionServer> {
  const directory = await mkdtemp(join(tmpdir(), "kubets-extension-"));
  const world = openWorld({ log: silentLogger });
  const pki = await openPki(world, directory);
  const leaf = await openLeaf(world, pki, {
    file: "server",
    authority: pki.ca,
    commonName: "extension",
    usages: ["server auth"],
    dnsNames: ["localhost", ...dnsNames],
    ipAddresses: ["127.0.0.1"],
  });
  await rm(directory, { recursive: true, force: true });
  const server = await serveHttps({
    listen: { host: "127.0.0.1", port: 0 },
    credentials: { ...leaf, ...(clientCa !== undefined && { ca: clientCa }) },
    onRequest,
    log: silentLogger,
  });
  const caBundle = Buffer.from(pki.caPem).toString("base64");
  return {
    port: server.port,
    caBundle,
    clientConfig: (path) => ({ url: `https://127.0.0.1:${server.port}${path}`, caBundle }),
    [Symbol.asyncDispose]: () => server.close(0),
  };
}
