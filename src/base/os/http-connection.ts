import type { Socket } from "node:net";
import { TLSSocket, type DetailedPeerCertificate } from "node:tls";
import type { PeerCertificate } from "../http.ts";

/** What all requests of one connection share. */
export interface HttpConnection {
  readonly secure: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly peerCertificate: PeerCertificate | undefined;
}

const connections = new WeakMap<Socket, HttpConnection>();

export function connectionOf(socket: Socket): HttpConnection {
  const known = connections.get(socket);
  if (known !== undefined) return known;
  const connection = openConnection(socket);
  connections.set(socket, connection);
  return connection;
}

function openConnection(socket: Socket): HttpConnection {
  const tls = socket instanceof TLSSocket ? socket : undefined;
  let peer: PeerCertificate | undefined;
  let looked = false;
  return {
    secure: tls !== undefined,
    remoteAddress: plainAddress(socket.remoteAddress ?? ""),
    remotePort: socket.remotePort ?? 0,
    get peerCertificate() {
      if (!looked) peer = tls && peerCertificate(tls);
      looked = true;
      return peer;
    },
  };
}

/** An IPv4 client of a dual-stack listener is shown as `::ffff:10.0.0.1`. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const leaf = socket.getPeerCertificate(true);
  // Without a certificate Node gives an empty object, after the end null.
  if (!leaf?.raw) return undefined;
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw && !chain.some((known) => certificate?.raw.equals(known))) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  const subject: Readonly<Record<string, string | string[] | undefined>> = { ...leaf.subject };
  return {
    chain,
    commonName: texts(subject["CN"]).at(-1) ?? "",
    organizations: texts(subject["O"]),
    trusted: socket.authorized,
  };
}

function texts(value: string | string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
