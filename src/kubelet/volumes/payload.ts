/** The files of configMap, secret, downwardAPI and projected volumes. Source: pkg/volume/{configmap,secret,downwardapi,projected}. */
import type { ConfigMap } from "#api/core/v1/config-map.ts";
import type { Pod } from "#api/core/v1/pod.ts";
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "#api/core/v1/projected-volume.ts";
import type { Secret } from "#api/core/v1/secret.ts";
import type { PodObjects } from "../pod/environment.ts";
import { type FieldContext, fieldValue, resourceFieldValue } from "../pod/field-ref.ts";

export interface PayloadFile {
  readonly content: Uint8Array;
  readonly mode: number;
  /** Owner, when not root. */
  readonly uid?: number | undefined;
}

/** By relative path. */
export type Payload = ReadonlyMap<string, PayloadFile>;

export interface PayloadSources {
  readonly objects: PodObjects;
  readonly fields: FieldContext;
  readonly tokens: TokenSource;
  /** PEM of a ClusterTrustBundle selection; undefined when none matches. */
  readonly trustBundle: (selection: TrustBundleSelection) => Promise<string | undefined>;
}

export type TrustBundleSelection = NonNullable<VolumeProjection["clusterTrustBundle"]>;

/** Tokens of a Pod's service account, renewed before they expire. */
export interface TokenSource {
  token(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string>;
}

/** Source: apis/core/v1 defaults. */
const fileModeDefault = 0o644;

/** Rejects with upstream's text when something that is not optional is missing. */
export async function projectedPayload(
  pod: Pod,
  source: ProjectedVolumeSource,
  sources: PayloadSources,
): Promise<Payload> {
  const mode = source.defaultMode ?? fileModeDefault;
  const payload = new Map<string, PayloadFile>();
  for (const projection of source.sources ?? []) {
    const part = await projectionPayload(pod, { projection, mode }, sources);
    for (const [path, file] of part) payload.set(path, file);
  }
  return payload;
}

async function projectionPayload(
  pod: Pod,
  { projection, mode }: { readonly projection: VolumeProjection; readonly mode: number },
  sources: PayloadSources,
): Promise<Payload> {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle } = projection;
  if (configMap) return configMapPayload(pod, { ...configMap, mode }, sources.objects);
  if (secret) return secretPayload(pod, { ...secret, mode }, sources.objects);
  if (downwardAPI)
    return downwardPayload(pod, { items: downwardAPI.items ?? [], mode }, sources.fields);
  if (serviceAccountToken) {
    const content = Buffer.from(await sources.tokens.token(pod, serviceAccountToken));
    const uid = commonUser(pod);
    const restricted = uid !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
    return new Map([[serviceAccountToken.path, { content, uid, mode: restricted ? 0o600 : mode }]]);
  }
  if (clusterTrustBundle) {
    const bundle = await sources.trustBundle(clusterTrustBundle);
    if (bundle === undefined && clusterTrustBundle.optional !== true) {
      throw new Error(
        `combination of signerName and labelSelector matched zero ClusterTrustBundles`,
      );
    }
    return new Map([[clusterTrustBundle.path, { content: Buffer.from(bundle ?? ""), mode }]]);
  }
  throw new Error("projected volume source is not supported");
}

/** The user of all containers, when they have one in common. Source: util.FsUserFrom. */
function commonUser(pod: Pod): number | undefined {
  const inherited = pod.spec.securityContext?.runAsUser;
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const users = new Set(all.map(({ securityContext }) => securityContext?.runAsUser ?? inherited));
  const [user] = users;
  return users.size === 1 ? user : undefined;
}

export interface KeyedSource {
  readonly name?: string | undefined;
  readonly items?: readonly KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
  readonly mode: number;
}

export async function configMapPayload(
  pod: Pod,
  source: KeyedSource,
  objects: PodObjects,
): Promise<Payload> {
  const { name = "" } = source;
  const namespace = pod.metadata?.namespace ?? "";
  const found = await objects.configMap(namespace, name);
  if (found !== undefined)
    return pick(configMapEntries(found), source, `configmap references non-existent config key`);
  if (source.optional === true) return new Map();
  throw new Error(`configmap ${JSON.stringify(name)} not found`);
}

export async function secretPayload(
  pod: Pod,
  source: KeyedSource,
  objects: PodObjects,
): Promise<Payload> {
  const { name = "" } = source;
  const namespace = pod.metadata?.namespace ?? "";
  const found = await objects.secret(namespace, name);
  if (found !== undefined)
    return pick(secretEntries(found), source, `references non-existent secret key`);
  if (source.optional === true) return new Map();
  throw new Error(`secret ${JSON.stringify(name)} not found`);
}

function configMapEntries({ data = {}, binaryData = {} }: ConfigMap): Map<string, Uint8Array> {
  return new Map<string, Uint8Array>([
    ...Object.entries(data).map(([key, text]) => [key, Buffer.from(text)] as const),
    ...Object.entries(binaryData).map(
      ([key, data64]) => [key, Buffer.from(data64, "base64")] as const,
    ),
  ]);
}

function secretEntries({ data = {} }: Secret): Map<string, Uint8Array> {
  return new Map(Object.entries(data).map(([key, data64]) => [key, Buffer.from(data64, "base64")]));
}

function pick(entries: Map<string, Uint8Array>, source: KeyedSource, missing: string): Payload {
  const { items = [], mode } = source;
  if (items.length === 0) {
    return new Map([...entries].map(([key, content]) => [key, { content, mode }]));
  }
  const payload = new Map<string, PayloadFile>();
  for (const item of items) {
    const content = entries.get(item.key);
    if (content !== undefined) payload.set(item.path, { content, mode: item.mode ?? mode });
    else if (source.optional !== true) throw new Error(`${missing}: ${item.key}`);
  }
  return payload;
}

export function downwardPayload(
  pod: Pod,
  source: { readonly items: readonly DownwardAPIVolumeFile[]; readonly mode: number },
  fields: FieldContext,
): Payload {
  const payload = new Map<string, PayloadFile>();
  for (const { path, fieldRef, resourceFieldRef, mode = source.mode } of source.items) {
    const text = fieldRef
      ? fieldValue(fieldRef, pod, fields)
      : resourceFieldRef
        ? resourceFieldValue(resourceFieldRef, pod, { context: fields })
        : "";
    payload.set(path.replace(/^\.\//, ""), { content: Buffer.from(text), mode });
  }
  return payload;
}
