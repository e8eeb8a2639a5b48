/** Registry credentials in pull secrets. Source: pkg/credentialprovider. */
import type { Secret } from "#api/core/v1/secret.ts";
import type { AuthConfig } from "../cri/messages.ts";
import { registryOf } from "./image-name.ts";

interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  /** base64 of `username:password`. */
  readonly auth?: string;
}

/** Credentials that fit the image, the longest matching path first. Malformed secrets give none. */
export function credentialsFor(image: string, secrets: readonly Secret[]): AuthConfig[] {
  const host = registryOf(image);
  const path = image.startsWith(`${host}/`) ? image : `${host}/${image}`;
  const matching = secrets
    .flatMap(entriesOf)
    .filter(({ registry }) => matches(registry, path))
    .toSorted((a, b) => b.registry.length - a.registry.length);
  return matching.map(({ registry, entry }) => authOf(entry, registry));
}

function entriesOf({ type, data = {} }: Secret): { registry: string; entry: DockerEntry }[] {
  const json = data[".dockerconfigjson"];
  const legacy = data[".dockercfg"];
  try {
    const entries =
      type === "kubernetes.io/dockerconfigjson" && json !== undefined
        ? (JSON.parse(decode(json)) as { auths?: Record<string, DockerEntry> }).auths
        : legacy !== undefined
          ? (JSON.parse(decode(legacy)) as Record<string, DockerEntry>)
          : undefined;
    return Object.entries(entries ?? {}).map(([registry, entry]) => ({
      registry: normalized(registry),
      entry,
    }));
  } catch {
    // A secret that nobody can read is as good as none: the pull says what is missing.
    return [];
  }
}

/** Without scheme, API version and trailing slash; Docker Hub under its one name. */
function normalized(registry: string): string {
  const bare = registry
    .replace(/^https?:\/\//, "")
    .replace(/\/(v1|v2)\/?$/, "")
    .replace(/\/$/, "");
  return bare === "index.docker.io" || bare === "registry-1.docker.io" ? "docker.io" : bare;
}

/** `*` stands for one label of the host. */
function matches(registry: string, path: string): boolean {
  const pattern = registry
    .split("*")
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^./]*");
  return new RegExp(`^${pattern}(/|$)`).test(path);
}

function authOf({ username, password, auth }: DockerEntry, serverAddress: string): AuthConfig {
  if (username !== undefined) return { username, password, serverAddress };
  const [user = "", ...rest] = decode(auth ?? "").split(":");
  return { username: user, password: rest.join(":"), serverAddress };
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}
