import { createHash } from "node:crypto";
import { writeJson } from "#wire/json.ts";
import type { ResourceDefinition } from "../resource.ts";
import type { Fields, StructSchema } from "../schema.ts";
import {
  type DefinitionOptions,
  type Describe,
  type Dialect,
  type GroupVersionKindEntry,
  type Json,
  sorted,
} from "./definitions.ts";
import { describeCommon } from "./descriptions.ts";
import { fixedPaths, groupPath, resourceListPath } from "./fixed-paths.ts";
import { type Fragment, renderFragment } from "./fragment.ts";
import { type GroupVersion, groupVersionPath } from "./names.ts";
import { type Path, pathsOf } from "./operations.ts";
import { encodeSwagger } from "./gnostic-v2.ts";
import { shareParameters } from "./shared-parameters.ts";

/** A document as it is served. */
export interface Document {
  readonly bytes: Uint8Array;
  /**
   * Upper-case hex; part of its URL in v3, and its ETag. For v3 documents it is taken from what
   * they are made of, so that the index can be told without making any of them.
   */
  readonly hash: string;
}

/** Bytes of v3 documents that are kept; those not asked for longest are made anew. */
export const keptDocumentsBytesMax = 16 * 1024 * 1024;

/**
 * OpenAPI of everything served. Documents are made when they are asked for and kept as bytes; a
 * change of one group version leaves the v3 documents of the others.
 */
export interface OpenApi {
  /** Adds or replaces a group version. */
  setGroupVersion(groupVersion: GroupVersion, resources: readonly ResourceDefinition[]): void;
  removeGroupVersion(groupVersion: GroupVersion): void;
  /** `/openapi/v3`: where the documents are. */
  v3Index(): Document;
  /** `name` as in `apis/apps/v1`; undefined when there is none of that name. */
  v3(name: string): Document | undefined;
  /** `/openapi/v2` as JSON. */
  v2(): Document;
  /** `/openapi/v2` as protobuf, which is what kubectl asks for. */
  v2Proto(): Document;
}

export interface OpenApiOptions {
  readonly describe?: Describe;
  /** Of the server: part of the hashes, since the schemas of built-in kinds change with it. */
  readonly release?: string;
  /** `1.36`, as documents tell it. Default `unversioned`. */
  readonly version?: string;
  /** Kinds that are no resources, such as Status or Scale, by their schemas. */
  readonly kinds: readonly (GroupVersion & { readonly schema: StructSchema<Fields> })[];
  /**
   * Group versions that are known, served or not, for DeleteOptions and WatchEvent, which belong to
   * every group version. Those that are served need not be among them.
   */
  readonly otherGroupVersions?: readonly GroupVersion[];
}

interface Section {
  readonly groupVersion: GroupVersion | undefined;
  readonly paths: () => readonly Path[];
  readonly resources: readonly ResourceDefinition[];
  hash?: string;
}

export function createOpenApi(options: OpenApiOptions): OpenApi {
  return new Documents(options);
}

class Documents implements OpenApi {
  readonly #options: OpenApiOptions;
  readonly #describe: Describe;
  /** By the name of their v3 document. */
  readonly #sections = new Map<string, Section>();
  readonly #kinds = new Map<string, GroupVersionKindEntry>();
  /** The v3 documents made last, the one not asked for longest first. */
  readonly #kept = new Map<Section, Document>();
  #keptBytes = 0;
  #index: Document | undefined;
  #v2: Document | undefined;
  #v2Proto: Document | undefined;

  constructor(options: OpenApiOptions) {
    this.#options = options;
    this.#describe = describeCommon(options.describe ?? (() => undefined));
    for (const [name, paths] of fixedPaths)
      this.#sections.set(
        name,
        fixedSection(() => paths),
      );
    for (const kind of options.kinds) this.#learn(kind.schema.name, kind);
  }

  setGroupVersion(groupVersion: GroupVersion, resources: readonly ResourceDefinition[]): void {
    const { group } = groupVersion;
    this.#drop(this.#sections.get(groupVersionPath(groupVersion)));
    this.#sections.set(groupVersionPath(groupVersion), {
      groupVersion,
      resources,
      paths: () => [resourceListPath(groupVersion), ...resources.flatMap((each) => pathsOf(each, this.#describe))],
    });
    for (const { schema, custom } of resources) {
      if (custom !== undefined) continue;
      this.#learn(schema.name, groupVersion);
      this.#learn(`${schema.name}List`, groupVersion);
    }
    if (group !== "" && !this.#sections.has(`apis/${group}`)) {
      this.#sections.set(
        `apis/${group}`,
        fixedSection(() => [groupPath(group)]),
      );
    }
    this.#forget();
  }

  removeGroupVersion(groupVersion: GroupVersion): void {
    const { group } = groupVersion;
    this.#drop(this.#sections.get(groupVersionPath(groupVersion)));
    this.#sections.delete(groupVersionPath(groupVersion));
    const others = [...this.#sections.values()].some((each) => each.groupVersion?.group === group);
    if (!others) this.#sections.delete(`apis/${group}`);
    this.#forget();
  }

  v3Index(): Document {
    if (this.#index === undefined) {
      const paths: Json = {};
      for (const name of [...this.#sections.keys()].toSorted()) {
        const hash = this.#hashOf(name);
        paths[name] = { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` };
      }
      this.#index = documentOf(writeJson({ paths }));
    }
    return this.#index;
  }

  v3(name: string): Document | undefined {
    const section = this.#sections.get(name);
    if (section === undefined) return undefined;
    const kept = this.#kept;
    const document = kept.get(section) ?? { bytes: writeJson(this.#v3Json(section)), hash: this.#hashOf(name) };
    if (!kept.delete(section)) this.#keptBytes += document.bytes.length;
    kept.set(section, document);
    for (const oldest of kept.keys()) {
      if (this.#keptBytes <= keptDocumentsBytesMax || oldest === section) break;
      this.#drop(oldest);
    }
    return document;
  }

  #drop(section: Section | undefined): void {
    const document = section && this.#kept.get(section);
    if (section === undefined || document === undefined) return;
    this.#kept.delete(section);
    this.#keptBytes -= document.bytes.length;
  }

  #hashOf(name: string): string {
    const section = this.#sections.get(name);
    if (section === undefined) return "";
    section.hash ??= hashOf(
      JSON.stringify([this.#options.release ?? "", name, section.resources.map(fingerprint)]),
    );
    return section.hash;
  }

  #v3Json(section: Section): Json {
    const { paths, definitions } = this.#render(section, 3);
    return {
      openapi: "3.0.0",
      info: this.#info(),
      paths: sorted(paths),
      components: {
        ...(definitions.size > 0 && { schemas: sorted(Object.fromEntries(definitions)) }),
        securitySchemes: { BearerToken: bearerToken },
      },
    };
  }

  v2(): Document {
    this.#v2 ??= documentOf(writeJson(this.#v2Json()));
    return this.#v2;
  }

  v2Proto(): Document {
    this.#v2Proto ??= documentOf(encodeSwagger(this.#v2Json()));
    return this.#v2Proto;
  }

  #v2Json(): Json {
    const paths: Json = {};
    const definitions: Json = {};
    for (const section of this.#sections.values()) {
      const fragment = this.#render(section, 2);
      Object.assign(paths, fragment.paths);
      for (const [name, definition] of fragment.definitions) definitions[name] ??= definition;
    }
    const shared = shareParameters(sorted(paths));
    return {
      swagger: "2.0",
      info: this.#info(),
      paths: shared.paths,
      definitions: sorted(definitions),
      parameters: shared.parameters,
      securityDefinitions: { BearerToken: bearerToken },
      security: [{ BearerToken: [] }],
    };
  }

  #info(): Json {
    return { title: "Kubernetes", version: this.#options.version ?? "unversioned" };
  }

  #render(section: Section, dialect: Dialect): Fragment {
    const options: DefinitionOptions = {
      dialect,
      describe: this.#describe,
      kindsOf: (schema) => this.#kindsOf(schema, dialect === 3 ? section.groupVersion : undefined),
    };
    return renderFragment(section.paths(), section.resources, options);
  }

  #learn(schemaName: string, { group, version }: GroupVersion): void {
    const kind = schemaName.slice(schemaName.lastIndexOf(".") + 1);
    this.#kinds.set(schemaName, { group, kind, version });
  }

  /** `only`: the group version of the document, which names no others. */
  #kindsOf(schema: StructSchema<Fields>, only: GroupVersion | undefined): GroupVersionKindEntry[] {
    const own = this.#kinds.get(schema.name);
    if (own === undefined && !everywhere.test(schema.name)) return [];
    if (!everywhere.test(schema.name)) return own === undefined ? [] : [own];
    const kind = schema.name.slice(schema.name.lastIndexOf(".") + 1);
    const core = { group: "", version: "v1" };
    const versions = only === undefined ? this.#groupVersions() : [core, only];
    const entries = new Map(
      versions.map(({ group, version }) => [`${group}/${version}`, { group, kind, version }]),
    );
    return [...entries.keys()].toSorted().flatMap((key) => entries.get(key) ?? []);
  }

  #groupVersions(): GroupVersion[] {
    const versions = [...(this.#options.otherGroupVersions ?? [])];
    for (const { groupVersion, resources } of this.#sections.values()) {
      const custom = resources.some((each) => each.custom !== undefined);
      if (groupVersion !== undefined && !custom) versions.push(groupVersion);
    }
    return versions;
  }

  #forget(): void {
    this.#index = undefined;
    this.#v2 = undefined;
    this.#v2Proto = undefined;
  }
}

function fixedSection(paths: () => readonly Path[]): Section {
  return { groupVersion: undefined, resources: [], paths };
}

/** Kinds of meta/v1 that are registered in every group version. */
const everywhere = /\.meta\.v1\.(?:DeleteOptions|WatchEvent)$/;

const bearerToken: Json = {
  description: "Bearer Token authentication",
  type: "apiKey",
  name: "authorization",
  in: "header",
};

/** All that documents show of a resource, but for the schemas of built-in kinds. */
function fingerprint(definition: ResourceDefinition): unknown {
  const { plural, kind, listKind, scope, verbs, schema, custom } = definition;
  const subresources = Object.entries(definition.subresources).map(([name, subresource]) => [
    name,
    subresource.verbs,
    subresource.kind,
  ]);
  const answer = definition.strategy.deleteReturnsObject === true;
  return [plural, kind, listKind, scope, verbs, schema.name, subresources, answer, custom];
}

function hashOf(content: Uint8Array | string): string {
  return createHash("sha512").update(content).digest("hex").toUpperCase();
}

function documentOf(bytes: Uint8Array): Document {
  return { bytes, hash: hashOf(bytes) };
}
