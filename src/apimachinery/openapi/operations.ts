import { listSchemaOf } from "../meta/list.ts";
import { DeleteOptions } from "../meta/options.ts";
import { Status } from "../meta/status.ts";
import { WatchEvent } from "../meta/watch-event.ts";
import type { ResourceDefinition, SubresourceDefinition } from "../resource.ts";
import type { Fields, StructSchema } from "../schema.ts";
import type { Describe, GroupVersionKindEntry } from "./definitions.ts";
import {
  customDefinitionName,
  groupVersionPath,
  groupVersionTag,
  groupVersionTitle,
  subresourceTitle,
} from "./names.ts";
import {
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  nameParameter,
  namespaceParameter,
  optionParameters,
  type Parameter,
  pathParameter,
  patchParameters,
  pretty,
  resourceVersion,
  writeParameters,
} from "./parameters.ts";

/** What OpenAPI says of one method of a path, before it becomes v2 or v3. */
export interface Operation {
  readonly method: string;
  readonly operationId: string;
  readonly description?: string;
  readonly tag: string;
  readonly action?: string;
  readonly kind?: GroupVersionKindEntry;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  readonly responses: readonly Response[];
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
}

interface Body {
  /** Name of a definition. */
  readonly schema: string;
  readonly required: boolean;
}

interface Response {
  readonly code: number;
  /** Name of a definition, or plain text. */
  readonly schema: string | "text";
}

export interface Path {
  readonly path: string;
  readonly operations: readonly Operation[];
}

/** Name of the definition of patch bodies, which has no schema of ours. */
export const patchDefinition = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";

const protobufType = "application/vnd.kubernetes.protobuf";
const cborType = "application/cbor";

interface MediaTypes {
  readonly any: readonly string[];
  readonly objects: readonly string[];
  readonly streams: readonly string[];
  readonly patches: readonly string[];
}

const builtinTypes: MediaTypes = {
  any: ["*/*"],
  objects: ["application/json", "application/yaml", protobufType, cborType],
  streams: [
    "application/json;stream=watch",
    `${protobufType};stream=watch`,
    "application/cbor-seq",
  ],
  patches: [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
  ],
};

const customTypes: MediaTypes = {
  any: ["application/json", "application/yaml"],
  objects: ["application/json", "application/yaml"],
  streams: [],
  patches: [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
  ],
};

/** What the operations of one resource have in common. */
interface Subject {
  readonly definition: ResourceDefinition;
  /** `AppsV1` */
  readonly title: string;
  /** `NamespacedDeployment` */
  readonly noun: string;
  readonly namespaced: boolean;
  /** `/apis/apps/v1` */
  readonly root: string;
  readonly types: MediaTypes;
  readonly tag: string;
  readonly kind: GroupVersionKindEntry;
  readonly schema: string;
  readonly listSchema: string;
  readonly describe: Describe;
}

/** Paths of a resource and its subresources. */
export function pathsOf(definition: ResourceDefinition, describe: Describe): Path[] {
  const subject = subjectOf(definition, describe);
  const { verbs } = definition;
  const paths = [collectionPath(subject), itemPath(subject)];
  if (subject.namespaced && verbs.includes("list")) paths.push(allNamespacesPath(subject));
  if (verbs.includes("watch") && definition.custom === undefined)
    paths.push(...watchPaths(subject));
  for (const [name, subresource] of Object.entries(definition.subresources)) {
    paths.push(...subresourcePaths(subject, name, subresource));
  }
  return paths.filter(({ operations }) => operations.length > 0);
}

function subjectOf(definition: ResourceDefinition, describe: Describe): Subject {
  const { group, version, kind, scope, schema } = definition;
  const namespaced = scope === "Namespaced";
  const custom = definition.custom !== undefined;
  const name = custom ? customDefinitionName(definition, kind) : schema.name;
  return {
    definition,
    title: groupVersionTitle(definition),
    noun: namespaced ? `Namespaced${kind}` : kind,
    namespaced,
    root: `/${groupVersionPath(definition)}`,
    types: custom ? customTypes : builtinTypes,
    tag: groupVersionTag(definition),
    kind: { group, kind, version },
    schema: name,
    listSchema: custom
      ? customDefinitionName(definition, definition.listKind)
      : listSchemaOf(schema).name,
    describe,
  };
}

function collectionOf({ definition, namespaced, root }: Subject): string {
  return `${root}/${namespaced ? "namespaces/{namespace}/" : ""}${definition.plural}`;
}

function scopeParameters(subject: Subject): Parameter[] {
  return subject.namespaced ? [namespaceParameter] : [];
}

function itemParameters(subject: Subject): Parameter[] {
  return [nameParameter(subject.definition.kind), ...scopeParameters(subject)];
}

interface OperationSpec {
  readonly method: string;
  readonly action: string;
  readonly operationId: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  readonly responses: readonly Response[];
  readonly kind?: GroupVersionKindEntry;
  readonly consumes?: readonly string[];
  readonly produces?: readonly string[];
}

function operation(subject: Subject, spec: OperationSpec): Operation {
  const { tag, types, kind } = subject;
  return {
    tag,
    kind,
    consumes: types.any,
    produces: types.objects,
    ...spec,
    parameters: [...spec.parameters, pretty],
  };
}

function ok(schema: string, ...more: number[]): Response[] {
  return [200, ...more].map((code) => ({ code, schema }));
}

function collectionPath(subject: Subject): Path {
  const { definition, title, noun, schema } = subject;
  const { verbs, kind } = definition;
  const scope = scopeParameters(subject);
  const operations: Operation[] = [];
  if (verbs.includes("list")) operations.push(listOperation(subject, `list${title}${noun}`, scope));
  if (verbs.includes("create")) {
    operations.push(
      operation(subject, {
        method: "post",
        action: "post",
        operationId: `create${title}${noun}`,
        description: `create ${article(kind)} ${kind}`,
        parameters: [...scope, ...writeParameters],
        body: { schema, required: true },
        responses: ok(schema, 201, 202),
      }),
    );
  }
  if (verbs.includes("deletecollection")) {
    operations.push(
      operation(subject, {
        method: "delete",
        action: "deletecollection",
        operationId: `delete${title}Collection${noun}`,
        description: `delete collection of ${kind}`,
        ...(definition.custom === undefined
          ? {
              parameters: [...scope, ...deleteCollectionParameters],
              body: { schema: DeleteOptions.name, required: false },
            }
          : { parameters: [...scope, ...listParameters] }),
        responses: ok(Status.name),
      }),
    );
  }
  return { path: collectionOf(subject), operations };
}

function article(noun: string): string {
  return /^[AEIOU]/.test(noun) ? "an" : "a";
}

function listOperation(
  subject: Subject,
  operationId: string,
  scope: readonly Parameter[],
): Operation {
  const { types, definition, listSchema } = subject;
  return operation(subject, {
    method: "get",
    action: "list",
    operationId,
    description: `list or watch objects of kind ${definition.kind}`,
    parameters: [...scope, ...listParameters],
    responses: ok(listSchema),
    produces: [...types.objects, ...types.streams],
  });
}

function allNamespacesPath(subject: Subject): Path {
  const { definition, root, title } = subject;
  const operationId = `list${title}${definition.kind}ForAllNamespaces`;
  return {
    path: `${root}/${definition.plural}`,
    operations: [listOperation(subject, operationId, [])],
  };
}

function itemPath(subject: Subject): Path {
  const { definition } = subject;
  const path = `${collectionOf(subject)}/{name}`;
  const operations: Operation[] = [...objectOperations(subject, definition.verbs, { title: "" })];
  if (definition.verbs.includes("delete")) operations.push(deleteOperation(subject));
  return { path, operations };
}

function deleteOperation(subject: Subject): Operation {
  const { title, noun, definition, schema } = subject;
  const answer = definition.strategy.deleteReturnsObject === true ? schema : Status.name;
  return operation(subject, {
    method: "delete",
    action: "delete",
    operationId: `delete${title}${noun}`,
    description: `delete ${article(definition.kind)} ${definition.kind}`,
    parameters: [...itemParameters(subject), ...deleteParameters],
    body: { schema: DeleteOptions.name, required: false },
    responses: ok(answer, 202),
  });
}

/** The part of a subresource in ids and descriptions, and its own schema and kind. */
interface Part {
  /** `Status`; empty for the object itself. */
  readonly title: string;
  readonly schema?: string;
  readonly kind?: GroupVersionKindEntry;
}

/** Reading and writing a whole object: the item itself, `status`, `scale` and the like. */
function objectOperations(subject: Subject, verbs: readonly string[], part: Part): Operation[] {
  const { title, noun, definition, types } = subject;
  const schema = part.schema ?? subject.schema;
  const what = part.title === "" ? "" : `${part.title.toLowerCase()} of `;
  const custom = definition.custom !== undefined;
  const common = { kind: custom ? subject.kind : (part.kind ?? subject.kind) };
  const suffix = `${title}${noun}${part.title}`;
  const operations: Operation[] = [];
  const add = (spec: Omit<OperationSpec, "description"> & { says: string }): void => {
    const { says, ...rest } = spec;
    const description = `${says} ${what}the specified ${definition.kind}`;
    operations.push(operation(subject, { ...common, ...rest, description }));
  };
  const item = itemParameters(subject);
  if (verbs.includes("get")) {
    const responses = ok(schema);
    add({
      method: "get",
      action: "get",
      operationId: `read${suffix}`,
      says: "read",
      parameters: custom ? [...item, resourceVersion] : item,
      responses,
    });
  }
  if (verbs.includes("update")) {
    add({
      method: "put",
      action: "put",
      operationId: `replace${suffix}`,
      says: "replace",
      parameters: [...item, ...writeParameters],
      body: { schema, required: true },
      responses: ok(schema, 201),
    });
  }
  if (verbs.includes("patch")) {
    add({
      method: "patch",
      action: "patch",
      operationId: `patch${suffix}`,
      says: "partially update",
      parameters: [...item, ...patchParameters],
      body: { schema: patchDefinition, required: true },
      responses: custom ? ok(schema) : ok(schema, 201),
      consumes: types.patches,
    });
  }
  return operations;
}

function watchPaths(subject: Subject): Path[] {
  const { definition, root, title, noun, namespaced } = subject;
  const { plural, kind, verbs } = definition;
  const watched = `${root}/watch/${namespaced ? "namespaces/{namespace}/" : ""}${plural}`;
  const scope = scopeParameters(subject);
  const watch = (
    action: string,
    operationId: string,
    parameters: readonly Parameter[],
  ): Operation =>
    operation(subject, {
      method: "get",
      action,
      operationId,
      description: `watch changes of ${kind}. deprecated: use the 'watch' parameter of a list`,
      parameters: [...parameters, ...listParameters],
      responses: ok(WatchEvent.name),
      produces: [...subject.types.objects, ...subject.types.streams],
    });
  const paths = [
    { path: watched, operations: [watch("watchlist", `watch${title}${noun}List`, scope)] },
  ];
  if (verbs.includes("get")) {
    paths.push({
      path: `${watched}/{name}`,
      operations: [watch("watch", `watch${title}${noun}`, itemParameters(subject))],
    });
  }
  if (namespaced) {
    paths.push({
      path: `${root}/watch/${plural}`,
      operations: [watch("watchlist", `watch${title}${kind}ListForAllNamespaces`, [])],
    });
  }
  return paths;
}

function subresourcePaths(
  subject: Subject,
  name: string,
  sub: SubresourceDefinition<never>,
): Path[] {
  const path = `${collectionOf(subject)}/{name}/${name}`;
  const title = subresourceTitle(name);
  if (name === "log") return [{ path, operations: [logOperation(subject, sub)] }];
  if (sub.schema !== undefined && sub.kind?.kind.endsWith("Options") === true) {
    return connectPaths(subject, { path, title, sub, schema: sub.schema });
  }
  const part = {
    title,
    ...(sub.schema && { schema: sub.schema.name }),
    ...(sub.kind && { kind: sub.kind }),
  };
  const operations = objectOperations(subject, sub.verbs, part);
  if (sub.verbs.includes("create")) operations.push(createPart(subject, part));
  return [{ path, operations }];
}

function createPart(subject: Subject, part: Part): Operation {
  const { title, noun, definition } = subject;
  const schema = part.schema ?? subject.schema;
  return operation(subject, {
    method: "post",
    action: "post",
    operationId: `create${title}${noun}${part.title}`,
    description: `create ${part.title.toLowerCase()} of a ${definition.kind}`,
    parameters: [...itemParameters(subject), ...writeParameters],
    body: { schema, required: true },
    responses: ok(schema, 201, 202),
    ...(part.kind && { kind: part.kind }),
  });
}

function logOperation(subject: Subject, sub: SubresourceDefinition<never>): Operation {
  const { title, noun, definition, types } = subject;
  return operation(subject, {
    method: "get",
    action: "get",
    operationId: `read${title}${noun}Log`,
    description: `read log of the specified ${definition.kind}`,
    parameters: [...itemParameters(subject), ...(sub.schema ? optionParameters(sub.schema, subject.describe) : [])],
    responses: ok("text"),
    produces: ["text/plain", ...types.objects],
  });
}

interface Connect {
  readonly path: string;
  readonly title: string;
  readonly sub: SubresourceDefinition<never>;
  readonly schema: StructSchema<Fields>;
}

/** exec, attach, portforward, proxy: streams that any method may open. */
function connectPaths(subject: Subject, { path, title, sub, schema }: Connect): Path[] {
  const { noun, definition } = subject;
  const what = `${title.toLowerCase()} of ${definition.kind}`;
  const all = sub.verbs.includes("delete");
  const methods = all
    ? ["delete", "get", "head", "options", "patch", "post", "put"]
    : ["get", "post"];
  const operations = (suffix: string, more: readonly Parameter[]): Operation[] =>
    methods.map((method) => ({
      method,
      action: "connect",
      operationId: `connect${subject.title}${subresourceTitle(method)}${noun}${title}${suffix}`,
      description: `connect ${method.toUpperCase()} requests to ${what}`,
      tag: subject.tag,
      kind: sub.kind ?? subject.kind,
      parameters: [...itemParameters(subject), ...optionParameters(schema, subject.describe), ...more],
      responses: ok("text"),
      consumes: ["*/*"],
      produces: ["*/*"],
    }));
  const paths = [{ path, operations: operations("", []) }];
  if (all) {
    const rest = pathParameter("path", "path to the resource");
    paths.push({ path: `${path}/{path}`, operations: operations("WithPath", [rest]) });
  }
  return paths;
}
