import type { PatchType, RequestOptions, RequestVerb } from "#client/transport.ts";
import type { KubeObject } from "#apimachinery/object.ts";
import type { FeatureReader, ResourceDefinition } from "#apimachinery/resource.ts";
import type { ResourceStorage } from "./storage/storage.ts";

/** Who asks. */
export interface User {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A served resource version with the storage that all versions of its kind share. */
export interface Endpoint {
  readonly definition: ResourceDefinition;
  /** The definition of the storage version: hooks see objects in it. */
  readonly hub: ResourceDefinition;
  readonly storage: ResourceStorage;
  /** Every served version of the kind, by `apiVersion`: managed fields may be booked in any. */
  readonly versions: () => ReadonlyMap<string, ResourceDefinition>;
  /** Aborts when the endpoint is served no longer, or by another definition: watches end. */
  readonly retired: AbortSignal;
}

/** What a body is before it is decoded. */
export type Body =
  | { readonly form: "object"; readonly value: unknown }
  | { readonly form: "bytes"; readonly mediaType: MediaType; readonly bytes: Uint8Array };

export type MediaType = "json" | "yaml" | "protobuf";

/**
 * One request for a resource, after routing and authorization. The same value comes from HTTP and
 * from components in this process; everything under `rest/` works on it.
 */
export interface Call {
  readonly verb: RequestVerb;
  readonly definition: ResourceDefinition;
  /** "" for cluster-scoped resources and across namespaces. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly options: CallOptions;
  readonly user: User;
  readonly userAgent: string;
  readonly body?: Body;
  readonly patchType?: PatchType;
  readonly features: FeatureReader;
  /** Whether containers may be privileged (`--allow-privileged`). */
  readonly allowPrivileged: boolean;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** Adds a Warning header, each text once. */
  warn(text: string): void;
  /** Adds an annotation to the request's audit event; absent where there is none. */
  readonly annotate?: (key: string, value: string) => void;
  /** What the request's audit event learns on the way; absent where there is none. */
  readonly trail?: RequestTrail;
}

/** Is told what a request brings; keeps a copy. */
export interface RequestTrail {
  /** The decoded body; with its defaults when it is told again. */
  request(object: KubeObject): void;
  requestPatch(bytes: Uint8Array, mediaType: MediaType): void;
}

/** Query parameters after parsing; `dryRun` and `fieldValidation` already validated. */
export interface CallOptions extends RequestOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly orphanDependents?: boolean;
  /** `ignoreStoreReadErrorWithClusterBreakingPotential`. */
  readonly ignoreStoreReadError?: boolean;
  /** Of a delete without a body. */
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export function isDryRun(call: Call): boolean {
  return call.options.dryRun === true;
}
