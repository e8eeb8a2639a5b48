/** Connections of probes and hooks to containers, as a port; `system-probe-network.ts` is real. */
export interface ProbeNetwork {
  /** Follows redirects on the same host. Rejects when no answer came; the message is Go's text. */
  httpGet(request: HttpProbeRequest): Promise<HttpProbeResponse>;
  /** Rejects when the connection is not made in time. */
  connect(host: string, port: number, timeoutMs: number): Promise<void>;
  /** grpc.health.v1 Check. */
  grpcHealth(request: GrpcHealthRequest): Promise<GrpcHealth>;
}

export interface HttpProbeRequest {
  /** `http` or `https`; certificates are not verified. */
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly timeoutMs: number;
}

export interface HttpProbeResponse {
  readonly status: number;
  /** At most 10 KiB. */
  readonly body: string;
  /** Where a redirect to another host led: such a probe counts as passed, with a warning. */
  readonly redirectedTo?: string;
}

export interface GrpcHealthRequest {
  readonly host: string;
  readonly port: number;
  readonly service: string;
  readonly timeoutMs: number;
}

export type GrpcHealth =
  | { readonly status: "SERVING" | "NOT_SERVING" | "UNKNOWN" | "SERVICE_UNKNOWN" }
  /** gRPC's code by name, or `TIMEOUT`. */
  | { readonly status: "ERROR"; readonly code: string; readonly message: string };
