import { createHmac } from "node:crypto";
import type { Secret } from "#api/core/v1/secret.ts";

export const tokenNamespace = "kube-system";
const tokenType = "bootstrap.kubernetes.io/token";
const namePattern = /^bootstrap-token-([a-z0-9]{6})$/;

export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  readonly signs: boolean;
  /** Never is infinite; a time that cannot be read is over. */
  readonly expiresMs: number;
}

/** The token of a Secret, or nothing when it is none or says different things. Source: cluster-bootstrap/token. */
export function tokenOf({ metadata, type, data = {} }: Secret): BootstrapToken | undefined {
  if (metadata.namespace !== tokenNamespace || type !== tokenType || metadata.deletionTimestamp !== undefined) return undefined;
  const textOf = (key: string): string => Buffer.from(data[key] ?? "", "base64").toString("utf8");
  const id = namePattern.exec(metadata.name ?? "")?.[1];
  const secret = textOf("token-secret");
  if (id === undefined || textOf("token-id") !== id || secret === "") return undefined;
  return { id, secret, signs: textOf("usage-bootstrap-signing") === "true", expiresMs: expiryOf(textOf("expiration")) };
}

export function expiryOf(text: string): number {
  if (text === "") return Infinity;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? 0 : timeMs;
}

/** A JWS without its payload, as `kubeadm join` checks it. */
export function detachedSignature(payload: string, { id, secret }: Pick<BootstrapToken, "id" | "secret">): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: id })).toString("base64url");
  const body = Buffer.from(payload).toString("base64url");
  const signature = createHmac("sha256", secret).update(`${header}.${body}`).digest("base64url");
  return `${header}..${signature}`;
}
