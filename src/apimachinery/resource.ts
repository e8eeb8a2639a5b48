import type { FieldError } from "./field-error.ts";
import type { KubeObject } from "./object.ts";
import type { Fields, StructSchema } from "./schema.ts";

/**
 * One served resource in one version: the value that built-in kinds and CustomResourceDefinitions
 * both become, and that the one pipeline (decode, prune, default, validate, convert, apply, table,
 * OpenAPI, storage, watch) reads. Built-ins declare it with `defineResource` in `src/api/`.
 *
 * Life of a write: decode -> `default` -> (admission) -> `prepareForCreate` | `prepareForUpdate`
 * -> `validate` -> `canonicalize` -> encode once -> store.
 * Hooks get objects that this request owns and may change them in place; `old` is shared, frozen.
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: "Namespaced" | "Cluster";
  readonly schema: StructSchema<Fields>;
  /** Verbs served, in discovery's order (sorted). */
  readonly verbs: readonly Verb[];
  /** Served versions of one kind share a storage identity: `group/plural` and a storage version. */
  readonly storage: StorageIdentity;
  /** To and from the storage version; absent in the storage version itself. */
  readonly conversion?: Conversion;
  readonly columns: readonly Column<T>[];
  /** Order of a table's rows, where it is not that of names. */
  readonly rowOrder?: { order(a: T, b: T): number }["order"];
  /** Annotations that are fields of the internal type: what shows metadata alone leaves them out. */
  readonly internalAnnotations?: readonly string[];
  /** What a row of a table says of its object beside the cells: that a Pod has ended. */
  readonly rowConditions?: Reader<T, readonly object[] | undefined>;
  /** Extra values for `fieldSelector`, beyond metadata.name and metadata.namespace. */
  readonly fieldSelectors: Readonly<Record<string, Reader<T, string>>>;
  /** The refusal of other fields, for the kinds that have a text of their own. */
  readonly unsupportedField?: (field: string) => string;
  /** Indexes of the watch cache: name -> the values of an object. */
  readonly indexes: Readonly<Record<string, Reader<T, readonly string[]>>>;
  readonly subresources: Readonly<Record<string, SubresourceDefinition<T>>>;
  readonly strategy: Strategy<T>;
  /** `Deprecated` notice sent as a Warning header with every request. */
  readonly deprecation?: string;
  /** Feature gate that must be on for the resource to be served. */
  readonly featureGate?: string;
  /**
   * Served by a handler of the API server under this name instead of storage: reviews, bindings,
   * componentstatuses.
   */
  readonly handler?: string;
  /** Set on custom resources: how their schema differs from a built-in's. */
  readonly custom?: CustomResourceTraits;
}

/**
 * A function of an object. It and the hooks below are declared as methods, whose parameters
 * TypeScript compares both ways: a `ResourceDefinition<Pod>` is a `ResourceDefinition`.
 */
export type Reader<T, R> = { read(object: T): R }["read"];

export type Verb =
  | "create"
  | "delete"
  | "deletecollection"
  | "get"
  | "list"
  | "patch"
  | "update"
  | "watch";

export interface StorageIdentity {
  /** Path under `/registry`, as upstream's: `pods`, `services/specs`, `minions`, `apps/...`. */
  readonly prefix: string;
  /** The version objects are stored in. */
  readonly version: string;
}

export interface Conversion {
  readonly toStorage: (object: KubeObject) => KubeObject;
  readonly fromStorage: (object: KubeObject) => KubeObject;
}

export interface CustomResourceTraits {
  readonly preserveUnknownFields: boolean;
  /** The definition goes away: discovery tells no more of creating and changing. */
  readonly terminating?: boolean;
  /** The structural schema of the version, OpenAPI v3 JSON; read by pruning, defaults, validation. */
  readonly structural: unknown;
  /** The object under another version's name, unpruned: how managers in that version are compared. */
  readonly convert?: (object: KubeObject, apiVersion: string) => KubeObject;
}

export interface Column<T> {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: "name" | "";
  readonly description: string;
  /** 0 is shown always, 1 with `-o wide`. */
  readonly priority?: number;
  /** Upstream's rows have the cell, and its tables no column for it. */
  readonly undeclared?: boolean;
  /** `nowMs` is for ages. Cells are JSON scalars. */
  cell(object: T, nowMs: number): unknown;
}

/** The request that a hook runs in. */
export interface StrategyContext {
  readonly namespace: string;
  readonly userName: string;
  /** The rest of who asks; what CertificateSigningRequests remember. */
  readonly user?: RequestUser;
  readonly nowMs: number;
  readonly features: FeatureReader;
  readonly subresource: string;
  /** Whether containers may be privileged (`--allow-privileged`). Default true. */
  readonly allowPrivileged?: boolean;
}

export interface RequestUser {
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface FeatureReader {
  enabled(gate: string): boolean;
}

export interface UpdateContext<T> extends StrategyContext {
  readonly old: T;
}

export interface Strategy<T> {
  /** Defaults that depend on other fields, after those of the schema. Changes `object`. */
  default?(object: T): void;
  /** Clears what clients may not set (status), sets generation and the like. Changes `object`. */
  prepareForCreate?(object: T, context: StrategyContext): void;
  prepareForUpdate?(object: T, context: UpdateContext<T>): void;
  validate?(object: T, context: StrategyContext): FieldError[];
  validateUpdate?(object: T, context: UpdateContext<T>): FieldError[];
  /** Texts of Warning headers that preparing a new object gives; they go out even when it is refused. */
  preparationWarnings?(object: T): readonly string[];
  /** Texts of Warning headers. */
  warnings?(object: T, context: StrategyContext & { old?: T }): string[];
  /** After validation, e.g. sorting; runs last. Changes `object`. */
  canonicalize?(object: T): void;
  /** How names are checked; `path` allows all but `/` and `%` (RBAC). Default dnsSubdomain. */
  readonly nameRule?: NameRule;
  /** Finalizers may be names without a domain: custom resources and their definitions. */
  readonly plainFinalizers?: boolean;
  /** PUT of an absent name creates it. */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without a resourceVersion overwrites. Default true for built-ins. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Metadata.generation counts changes of spec (everything but metadata and status). */
  readonly generation?: boolean;
  /**
   * Grace period for a delete in seconds, given what the client asked for (undefined: nothing).
   * Undefined: the kind has no graceful deletion. 0: at once.
   */
  gracePeriodSeconds?(object: T, asked: number | undefined): number | undefined;
  /**
   * DELETE answers the object instead of a Status (Pod, Service, PVC...); OpenAPI says so, unless it is
   * `unannounced` (Namespace). The same in every version of a kind.
   */
  readonly deleteReturnsObject?: true | "unannounced";
  /** Finalizers of `spec` (Namespace) that hold the object as metadata finalizers do. */
  holdsDeletion?(object: T): boolean;
  /** The object as its first delete leaves it, where that is more than a mark. Makes a copy. */
  beginDeletion?(object: T, nowMs: number): T;
  /** What happens to dependents when the client names no policy. Default background. */
  readonly defaultGarbageCollection?: "Background" | "Orphan";
  /** Why the object may not be deleted by its name; undefined when it may. */
  refuseDelete?(object: T): string | undefined;
  /** Warns clients that name no policy for dependents. */
  readonly warningWithoutPolicy?: string;
  /**
   * Dotted paths that a write here never owns, since it cannot set them. Default: `status` for the
   * resource itself when it has a status subresource, `spec` for that subresource.
   */
  readonly resetFields?: readonly string[];
}

export type NameRule =
  | "dnsSubdomain"
  | "dnsLabel"
  | "dns1035Label"
  | "path"
  | ((name: string) => string[]);

/**
 * A subresource. `status` and others that are a view of the whole object declare a strategy;
 * `scale` maps to a Scale; the rest is served by a handler that the API server registers by name.
 */
export interface SubresourceDefinition<T> {
  readonly verbs: readonly Verb[];
  /** Kind in discovery when it is another than the resource's. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly schema?: StructSchema<Fields>;
  readonly strategy?: Pick<
    Strategy<T>,
    "prepareForUpdate" | "validateUpdate" | "warnings" | "resetFields"
  >;
  readonly scale?: ScalePaths;
  /** Served by a handler of the API server (exec, log, binding, token...). */
  readonly handler?: string;
  readonly shortNames?: readonly string[];
}

/** JSON paths (`.spec.replicas`) for `scale`. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Path of a selector string or LabelSelector. */
  readonly selector?: string;
}

/** What `defineResource` takes: everything with a sensible default may be left out. */
export type ResourceSpec<T extends KubeObject> = Pick<
  ResourceDefinition<T>,
  "group" | "version" | "kind" | "plural" | "scope" | "schema"
> &
  Partial<Omit<ResourceDefinition<T>, "storage">> & { readonly storage?: Partial<StorageIdentity> };

export const allVerbs: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

/** Completes and freezes a definition. */
export function defineResource<T extends KubeObject>(spec: ResourceSpec<T>): ResourceDefinition<T> {
  return Object.freeze({
    listKind: `${spec.kind}List`,
    singular: spec.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    columns: [],
    fieldSelectors: {},
    indexes: {},
    subresources: {},
    strategy: {},
    ...spec,
    storage: { prefix: spec.plural, version: spec.version, ...spec.storage },
  });
}
