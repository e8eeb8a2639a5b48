/** UDP as a port; `os/datagram.ts` is real. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

export interface DatagramSocket extends AsyncDisposable {
  readonly port: number;
  /** Errors of single datagrams are nobody's: the sender asks again. */
  send(bytes: Uint8Array, to: { readonly address: string; readonly port: number }): void;
}

export interface DatagramOptions {
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly onDatagram: (datagram: Datagram) => void;
}
