import { deepEqual } from "../deep-equal.ts";
import { goJson } from "../go-format.ts";
import { isJsonMap } from "../json-value.ts";
import { getOwn } from "../maps.ts";
import { type KubeObject, type ManagedFieldsEntry, parseApiVersion } from "../object.ts";
import { badRequest, failure, plainError, type StatusError } from "../status.ts";
import { type ApplyNode, jsonSchema } from "./apply-schema.ts";
import { compare } from "./compare.ts";
import { ApplyConflictError, conflictSet, conflictsOutside } from "./conflicts.ts";
import { difference, emptyFieldSet, type FieldSet, isEmptySet, union } from "./field-set.ts";
import {
  capUpdateManagers,
  decodeManagers,
  encodeManagers,
  ManagedFieldsError,
  type Manager,
  managerKey,
  type Managers,
  noManagers,
  withManagedFields,
  withManager,
} from "./managers.ts";
import { toFieldSet } from "./to-field-set.ts";
import { TypedValueError, validateTyped, writtenValue } from "./typed-value.ts";
import { applyConfig, type ApplyVersions, trackUpdate } from "./updater.ts";
import { valueShape } from "./value-shape.ts";

/**
 * Server-side apply and the bookkeeping of `metadata.managedFields` for every write.
 * Source: k8s.io/apimachinery/pkg/util/managedfields.
 */
export interface FieldManagement extends ApplyVersions {
  readonly kind: string;
  /** Empty for the resource itself. */
  readonly subresource: string;
  /** What a new object is compared with: one of the kind with nothing set. Default `{}`. */
  readonly blank?: () => object;
}

export interface UpdateRequest {
  /** What is stored; undefined when the request creates. */
  readonly live: KubeObject | undefined;
  /**
   * What is to be stored, decoded and defaulted, with the managed fields that the client sent: an
   * empty list, which resets them, is told from none.
   */
  readonly updated: KubeObject;
  readonly manager: string;
  /** RFC 3339, whole seconds, UTC. */
  readonly time: string;
}

/**
 * The managed fields of an object after a create, update or patch other than apply; undefined when
 * there are none. Never fails: what cannot be worked out is dropped, as upstream does. When nothing
 * changed the result is the live list itself.
 */
export function updateManagedFields(
  management: FieldManagement,
  request: UpdateRequest,
): ManagedFieldsEntry[] | undefined {
  const { live } = request;
  const start = startingManagers(management, request);
  if (start.size === 0 && live?.metadata?.uid) return undefined;
  try {
    if (live === undefined && start.size === 0) return createdFields(management, request);
    const change = { before: live ?? management.blank?.() ?? {}, after: request.updated };
    const { managers, taken } = trackUpdate(management, change, start);
    const tracked = capUpdateManagers(record(management, { managers, taken, ...request }));
    const isLive = tracked === start && start === liveManagers(live);
    if (isLive && start.size > 0) return live?.metadata?.managedFields;
    return encodeManagers(tracked);
  } catch (error) {
    if (error instanceof TypedValueError || isTooDeep(error)) return undefined;
    throw error;
  }
}

/** What the creator of an object owns, by the shape of the object. With the schema it goes. */
type CreatedShapes = WeakMap<FieldManagement, Map<string, FieldSet>>;

const createdShapes = new WeakMap<ApplyNode, CreatedShapes>();
/** Of one resource and subresource; beyond it all are forgotten. */
export const createdShapesMax = 512;

/**
 * The managed fields of a new object of one manager. Objects are mostly made from templates, so
 * their sets are looked up by shape.
 */
function createdFields(
  management: FieldManagement,
  { updated, manager, time }: UpdateRequest,
): ManagedFieldsEntry[] | undefined {
  const schema = management.schemaOf(management.apiVersion);
  const shape = schema && valueShape(schema, updated);
  const known = schema && createdShapesOf(management, schema);
  let taken = shape === undefined ? undefined : known?.get(shape);
  if (taken === undefined) {
    const change = { before: management.blank?.() ?? {}, after: updated };
    taken = trackUpdate(management, change, noManagers).taken;
    if (shape !== undefined && known !== undefined) {
      if (known.size >= createdShapesMax) known.clear();
      known.set(shape, taken);
    }
  }
  return encodeManagers(record(management, { managers: noManagers, taken, manager, time }));
}

function createdShapesOf(management: FieldManagement, schema: ApplyNode): Map<string, FieldSet> {
  let known = createdShapes.get(schema);
  if (known === undefined) createdShapes.set(schema, (known = new WeakMap()));
  let shapes = known.get(management);
  if (shapes === undefined) known.set(management, (shapes = new Map()));
  return shapes;
}

/** Walks are recursive: values of a custom resource may be nested deeper than the stack goes. */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError;
}

/** The client's managers when they make sense, else the live ones. */
function startingManagers(
  { subresource }: FieldManagement,
  { live, updated }: UpdateRequest,
): Managers {
  const old = liveManagers(live) ?? noManagers;
  const sent = updated.metadata?.managedFields;
  if (subresource !== "" || sent === undefined || sent === null) return old;
  if (deepEqual(sent, live?.metadata?.managedFields)) return old;
  if (isReset(sent)) return noManagers;
  const managers = readManagers(sent);
  return managers === undefined || managers.size === 0 ? old : managers;
}

/** An empty list, or one of a single empty entry. */
function isReset(entries: readonly ManagedFieldsEntry[]): boolean {
  const [first, second] = entries;
  if (first === undefined) return true;
  return second === undefined && Object.values(first).every((value) => !value);
}

/** Managers of the live object, kept with its list; undefined when that cannot be read. */
function liveManagers(live: KubeObject | undefined): Managers | undefined {
  const entries = live?.metadata?.managedFields;
  if (entries === undefined || entries === null) return noManagers;
  if (!decoded.has(entries)) decoded.set(entries, readManagers(entries));
  return decoded.get(entries);
}

const decoded = new WeakMap<readonly ManagedFieldsEntry[], Managers | undefined>();

function readManagers(entries: readonly ManagedFieldsEntry[]): Managers | undefined {
  try {
    return decodeManagers(entries);
  } catch (error) {
    if (error instanceof ManagedFieldsError) return undefined;
    throw error;
  }
}

interface Taking {
  readonly managers: Managers;
  readonly taken: FieldSet;
  readonly manager: string;
  readonly time: string;
}

function record(management: FieldManagement, { managers, taken, manager, time }: Taking): Managers {
  if (isEmptySet(taken)) return managers;
  const identity = identityOf(management, manager, "Update");
  const previous = managers.get(managerKey(identity))?.fields ?? emptyFieldSet;
  return withManager(managers, { ...identity, time, fields: union(previous, taken) });
}

function identityOf(
  { apiVersion, subresource }: FieldManagement,
  name: string,
  operation: Manager["operation"],
): Omit<Manager, "fields" | "time"> {
  return { name: name === "" ? "unknown" : name, operation, apiVersion, subresource };
}

export interface ApplyPatchRequest {
  /** What is stored; undefined when the apply creates. */
  readonly live: KubeObject | undefined;
  /** The body as it was parsed. */
  readonly patch: Readonly<Record<string, unknown>>;
  readonly manager: string;
  readonly force: boolean;
  /** RFC 3339, whole seconds, UTC. */
  readonly time: string;
}

/**
 * The object after a server-side apply, managed fields included. It is JSON still to be decoded and
 * defaulted: it may hold nulls and numbers as the client wrote them. Throws `StatusError`: 400 for
 * a wrong kind or managed fields in the patch, 409 for conflicts, 500 without a reason for a patch
 * that does not fit the schema.
 */
export function applyPatch(management: FieldManagement, request: ApplyPatchRequest): KubeObject {
  const { live, patch } = request;
  checkKind(management, patch);
  const go = management.schemaOf(management.apiVersion);
  if (go === undefined) throw plainError(`no corresponding type for ${printKind(patch)}`);
  const schema = jsonSchema(go);
  const start = { ...request, schema, managers: managersBefore(management, request) };
  checkPatch(schema, patch);
  const config = patch as KubeObject;
  const before = writtenValue(go, live ?? {}) as KubeObject;
  // What was decoded into a Go struct fits its schema; a custom resource may predate it.
  if (live !== undefined && schema === go) checkLive(schema, before, management);
  try {
    const applied = applyOrUpgrade(management, { ...start, config, before });
    return request.manager === "kubectl" ? withLastApplied(applied, patch) : applied;
  } catch (error) {
    if (!isTooDeep(error)) throw error;
    throw plainError(`failed to merge config: ${printObject(patch)} is nested too deeply`);
  }
}

function checkKind({ apiVersion, kind }: FieldManagement, patch: object): void {
  const own = patch as { apiVersion?: unknown; kind?: unknown };
  if (own.apiVersion === apiVersion && own.kind === kind) return;
  throw badRequest(`invalid object type: ${printKind(patch)}`);
}

/** `apps/v1, Kind=Deployment`. */
export function printKind(object: object): string {
  const { apiVersion, kind } = object as { apiVersion?: unknown; kind?: unknown };
  const { group, version } = parseApiVersion(typeof apiVersion === "string" ? apiVersion : "");
  return `${group}/${version}, Kind=${typeof kind === "string" ? kind : ""}`;
}

/** `namespace/name; apps/v1, Kind=Deployment`. */
export function printObject(object: object): string {
  const metadata = (object as { metadata?: unknown }).metadata;
  const text = (key: string) => {
    const value = isJsonMap(metadata) ? getOwn(metadata, key) : undefined;
    return typeof value === "string" ? value : "";
  };
  return `${text("namespace")}/${text("name")}; ${printKind(object)}`;
}

/** Objects that nobody managed so far belong to `before-first-apply`. */
function managersBefore(management: FieldManagement, { live, time }: ApplyPatchRequest): Managers {
  let managers: Managers;
  try {
    managers = decodeManagers(live?.metadata?.managedFields);
  } catch (error) {
    if (!(error instanceof ManagedFieldsError)) throw error;
    throw plainError(`failed to decode managed fields: ${error.message}`);
  }
  if (managers.size > 0 || live === undefined) return managers;
  const { taken } = trackUpdate(management, { before: {}, after: live }, managers);
  return record(management, { managers, taken, manager: "before-first-apply", time });
}

function checkPatch(schema: ApplyNode, patch: Readonly<Record<string, unknown>>): void {
  const { metadata } = patch;
  if (isJsonMap(metadata) && Array.isArray(metadata["managedFields"])) {
    throw badRequest("metadata.managedFields must be nil");
  }
  try {
    validateTyped(schema, patch);
  } catch (error) {
    throw typeError(error, `failed to create typed patch object (${printObject(patch)})`);
  }
}

function checkLive(
  schema: ApplyNode,
  live: KubeObject,
  { apiVersion, kind }: FieldManagement,
): void {
  try {
    validateTyped(schema, live, "allow");
  } catch (error) {
    const text = printObject({ ...live, apiVersion, kind });
    throw typeError(error, `failed to create typed live object (${text})`);
  }
}

function typeError(error: unknown, what: string): unknown {
  return error instanceof TypedValueError ? plainError(`${what}: ${error.message}`) : error;
}

interface Application extends ApplyPatchRequest {
  readonly schema: ApplyNode;
  readonly managers: Managers;
  readonly config: KubeObject;
  /** The live object with all that Go writes. */
  readonly before: KubeObject;
}

/**
 * Applies; kubectl takes over, without force, what the annotation of client-side apply says that it
 * applied before.
 */
function applyOrUpgrade(management: FieldManagement, application: Application): KubeObject {
  try {
    return applyOnce(management, application);
  } catch (error) {
    if (!(error instanceof ApplyConflictError)) throw error;
    const allowed =
      application.manager === "kubectl" ? lastAppliedFields(management, application) : undefined;
    if (allowed === undefined) throw conflictStatus(error);
    const rest = conflictsOutside(error.conflicts, allowed);
    const covered = isEmptySet(difference(conflictSet(error.conflicts), allowed));
    if (!covered) throw conflictStatus(new ApplyConflictError(rest));
    return applyOnce(management, { ...application, force: true });
  }
}

function conflictStatus({ message, causes }: ApplyConflictError): StatusError {
  return failure("Conflict", { message, details: { causes: [...causes] } });
}

function applyOnce(management: FieldManagement, application: Application): KubeObject {
  const { manager: name, before, config, time } = application;
  const manager = identityOf(management, name, "Apply");
  const { object, managers } = applyConfig(management, { ...application, live: before, manager });
  const unchanged = application.live ?? config;
  if (object === undefined) return withManagedFields(unchanged, encodeManagers(managers));
  const key = managerKey(manager);
  const entry = managers.get(key);
  const stamped = entry === undefined ? managers : new Map(managers).set(key, { ...entry, time });
  return withManagedFields(object as KubeObject, encodeManagers(stamped));
}

const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/** What client-side apply says that it set and that is still so; undefined when that is unknown. */
function lastAppliedFields(
  { apiVersion }: FieldManagement,
  { schema, before }: Application,
): FieldSet | undefined {
  const text = getOwn(before.metadata?.annotations, lastAppliedAnnotation);
  if (!text) return undefined;
  let last: unknown;
  try {
    last = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonMap(last) || last["apiVersion"] !== apiVersion || !last["kind"]) return undefined;
  try {
    validateTyped(schema, before);
    validateTyped(schema, last);
    const { added, modified, removed } = compare(schema, last, before);
    return difference(toFieldSet(schema, last), union(union(added, modified), removed));
  } catch (error) {
    if (error instanceof TypedValueError) return undefined;
    throw error;
  }
}

/** All annotations together. Source: apimachinery pkg/api/validation TotalAnnotationSizeLimitB. */
const annotationsBytesMax = 256 * 1024;

/** Keeps the annotation of client-side apply, where there is one, up to date. */
function withLastApplied(object: KubeObject, patch: Readonly<Record<string, unknown>>): KubeObject {
  const annotations = object.metadata?.annotations;
  if (!getOwn(annotations, lastAppliedAnnotation)) return object;
  const changed = {
    ...annotations,
    [lastAppliedAnnotation]: `${goJson(withoutLastApplied(patch))}\n`,
  };
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(changed)) {
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  const { [lastAppliedAnnotation]: _, ...others } = changed;
  const fitting = sizeBytes > annotationsBytesMax ? others : changed;
  return { ...object, metadata: { ...object.metadata, annotations: fitting } };
}

function withoutLastApplied(patch: Readonly<Record<string, unknown>>): object {
  const { metadata } = patch;
  if (!isJsonMap(metadata) || !isJsonMap(metadata["annotations"])) return patch;
  const { [lastAppliedAnnotation]: _, ...annotations } = metadata["annotations"];
  return { ...patch, metadata: { ...metadata, annotations } };
}
