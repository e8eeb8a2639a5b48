/** TCP, UDP and names as a port; `os/network.ts` is real. */
import type { Duplex } from "node:stream";

export type StreamAddress =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** @default 30 s */
  readonly timeoutMs?: number;
  /** Where the connection comes from. @default as the routes say */
  readonly localAddress?: string;
}

/** A TCP or unix connection; either half may end before the other. */
export interface NetworkConnection extends Duplex {
  /** Empty on a unix socket. */
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

export interface NetworkListener extends AsyncDisposable {
  /** The port that was bound; 0 on a unix socket. */
  readonly port: number;
}

export interface ListenOptions {
  readonly address: StreamAddress;
  readonly onConnection: (connection: NetworkConnection) => void;
  /** Connections beyond are dropped. @default 10,000 */
  readonly connectionsMax?: number;
}

export interface UdpPacket {
  readonly bytes: Uint8Array;
  readonly host: string;
  readonly port: number;
}

export interface UdpSocket extends AsyncDisposable {
  readonly port: number;
  /** Never fails: a packet may get lost. */
  send(packet: UdpPacket): void;
}

export interface UdpOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Shares the port with other sockets that do so too. @default false */
  readonly reusePort?: boolean;
  readonly onPacket: (packet: UdpPacket) => void;
}

/** Everything rejects with `IoError`, whose text is Go's, or with the signal's reason. */
export interface Network {
  connect(address: StreamAddress, options?: ConnectOptions): Promise<NetworkConnection>;
  /** Disposing the listener breaks its connections off. */
  listen(options: ListenOptions): Promise<NetworkListener>;
  openUdp(options: UdpOptions): Promise<UdpSocket>;
  /** Addresses of a name, as the machine resolves it; of an address, itself. */
  lookup(name: string): Promise<readonly string[]>;
  /** The machine's own addresses, loopback left out. */
  addresses(): readonly string[];
}
