import { writeJson } from "#wire/json.ts";
import type { ResourceDefinition } from "../resource.ts";
import type { Fields, StructSchema } from "../schema.ts";
import {
  type DefinitionOptions,
  type Describe,
  type Dialect,
  type EnumOf,
  type GroupVersionKindEntry,
  type Json,
  sorted,
} from "./definitions.ts";
import { describeCommon } from "./descriptions.ts";
import { fixedPaths, groupPath, resourceListPath } from "./fixed-paths.ts";
import { type Fragment, renderFragment } from "./fragment.ts";
import { type GroupVersion, groupVersionPath } from "./names.ts";
import { type Path, pathsOf } from "./operations.ts";
import { type Document, documentOf, hashOf, KeptDocuments } from "./document.ts";
import { encodeSwagger } from "./gnostic-v2.ts";
import { encodeOpenApi } from "./gnostic-v3.ts";
import { shareParameters } from "./shared-parameters.ts";

/**
 * OpenAPI of everything served. Documents are made when they are asked for and kept compressed; a
 * change of one group version leaves the v3 documents of the others.
 */
export interface OpenApi {
  /** Changes with what is served. */
  readonly generation: number;
  /** Adds or replaces a group version. */
  setGroupVersion(groupVersion: GroupVersion, resources: readonly ResourceDefinition[]): void;
  removeGroupVersion(groupVersion: GroupVersion): void;
  /** `/openapi/v3`: where the documents are. Makes those of `unmade`. */
  v3Index(): Document;
  /** Names of v3 documents that must be made before their hash is known. */
  unmade(): readonly string[];
  /** `name` as in `apis/apps/v1`; undefined when there is none of that name. */
  v3(name: string): Document | undefined;
  /** The same as protobuf, with the same hash. */
  v3Proto(name: string): Document | undefined;
  /** The hash of a v3 document, which its address names. */
  v3Hash(name: string): string | undefined;
  /** `/openapi/v2` as JSON. */
  v2(): Document;
  /** The same as protobuf, with the same hash. */
  v2Proto(): Document;
}

export interface OpenApiOptions {
  readonly describe?: Describe;
  readonly enumOf?: EnumOf;
  /** Of the server: part of the hashes of custom resources' documents. */
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

/** What one v3 document is made of. */
interface Section {
  readonly groupVersion: GroupVersion | undefined;
  readonly paths: () => readonly Path[];
  readonly resources: readonly ResourceDefinition[];
  /** Custom resources alone: another server of upstream's makes these documents. */
  readonly custom: boolean;
  /** Of the document as JSON, once it was made. */
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
  /** v3 documents by section, `proto` before the key of a protobuf one. */
  readonly #kept = new KeptDocuments<Section>();
  #generation = 0;
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
    const custom = resources.every((each) => each.custom !== undefined);
    this.#kept.drop(this.#sections.get(groupVersionPath(groupVersion)));
    this.#sections.set(groupVersionPath(groupVersion), {
      groupVersion,
      resources,
      custom,
      paths: () => [
        ...(custom ? [] : [resourceListPath(groupVersion)]),
        ...resources.flatMap((each) => pathsOf(each, this.#describe)),
      ],
    });
    for (const { schema, custom: traits } of resources) {
      if (traits !== undefined) continue;
      this.#learn(schema.name, groupVersion);
      this.#learn(`${schema.name}List`, groupVersion);
    }
    if (group !== "" && !custom && !this.#sections.has(`apis/${group}`)) {
      this.#sections.set(
        `apis/${group}`,
        fixedSection(() => [groupPath(group)]),
      );
    }
    this.#forget();
  }

  removeGroupVersion(groupVersion: GroupVersion): void {
    const { group } = groupVersion;
    this.#kept.drop(this.#sections.get(groupVersionPath(groupVersion)));
    this.#sections.delete(groupVersionPath(groupVersion));
    const others = [...this.#sections.values()].some((each) => each.groupVersion?.group === group && !each.custom);
    if (!others) this.#sections.delete(`apis/${group}`);
    this.#forget();
  }

  v3Index(): Document {
    if (this.#index === undefined) {
      const paths: Json = {};
      for (const name of [...this.#sections.keys()].toSorted()) {
        const hash = this.v3Hash(name);
        paths[name] = { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` };
      }
      this.#index = documentOf(writeJson({ paths }));
    }
    return this.#index;
  }

  unmade(): readonly string[] {
    return [...this.#sections].flatMap(([name, { hash, custom }]) => (hash === undefined && !custom ? [name] : []));
  }

  v3(name: string): Document | undefined {
    const section = this.#sections.get(name);
    return section && this.#kept.get(section, "json", () => this.#makeV3(section));
  }

  v3Proto(name: string): Document | undefined {
    const section = this.#sections.get(name);
    if (section === undefined) return undefined;
    return this.#kept.get(section, "protobuf", () => {
      const hash = section.hash ?? this.#kept.get(section, "json", () => this.#makeV3(section)).hash;
      return documentOf(encodeOpenApi(this.#v3Json(section)), hash);
    });
  }

  v3Hash(name: string): string | undefined {
    const section = this.#sections.get(name);
    if (section?.custom === true) section.hash ??= this.#customHash(section);
    return section?.hash ?? this.v3(name)?.hash;
  }

  #makeV3(section: Section): Document {
    if (section.custom) section.hash ??= this.#customHash(section);
    const document = documentOf(writeJson(this.#v3Json(section)), section.hash);
    section.hash = document.hash;
    return document;
  }

  /** Of what the document is made of: the index can be told without making thousands of them. */
  #customHash({ resources }: Section): string {
    return hashOf(JSON.stringify([this.#options.release ?? "", resources.map(fingerprint)]));
  }

  #v3Json(section: Section): Json {
    const { paths, definitions } = this.#render(section, 3);
    return {
      openapi: "3.0.0",
      info: section.custom ? customInfo : this.#info(),
      paths: sorted(paths),
      components: {
        ...(definitions.size > 0 && { schemas: sorted(Object.fromEntries(definitions)) }),
        ...(!section.custom && { securitySchemes: { BearerToken: bearerToken } }),
      },
    };
  }

  v2(): Document {
    this.#v2 ??= documentOf(writeJson(this.#v2Json()));
    return this.#v2;
  }

  v2Proto(): Document {
    if (this.#v2Proto === undefined) {
      const json = this.#v2Json();
      this.#v2 ??= documentOf(writeJson(json));
      this.#v2Proto = documentOf(encodeSwagger(json), this.#v2.hash);
    }
    return this.#v2Proto;
  }

  #v2Json(): Json {
    const paths: Json = {};
    const definitions = new Map<string, Json>();
    for (const section of this.#sections.values()) Object.assign(paths, this.#render(section, 2, definitions).paths);
    const shared = shareParameters(sorted(paths));
    return {
      swagger: "2.0",
      info: this.#info(),
      paths: shared.paths,
      definitions: sorted(Object.fromEntries(definitions)),
      parameters: shared.parameters,
      securityDefinitions: { BearerToken: bearerToken },
      security: [{ BearerToken: [] }],
    };
  }

  #info(): Json {
    return { title: "Kubernetes", version: this.#options.version ?? "unversioned" };
  }

  #render(section: Section, dialect: Dialect, definitions?: Map<string, Json>): Fragment {
    const options: DefinitionOptions = {
      dialect,
      describe: this.#describe,
      ...(this.#options.enumOf && { enumOf: this.#options.enumOf }),
      kindsOf: (schema) => this.#kindsOf(schema, dialect === 3 && !section.custom ? section.groupVersion : undefined),
    };
    return renderFragment(section.paths(), section.resources, options, definitions);
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

  get generation(): number {
    return this.#generation;
  }

  #forget(): void {
    this.#generation++;
    this.#index = undefined;
    this.#v2 = undefined;
    this.#v2Proto = undefined;
  }
}

function fixedSection(paths: () => readonly Path[]): Section {
  return { groupVersion: undefined, resources: [], custom: false, paths };
}

/** Source: apiextensions-apiserver pkg/controller/openapi/builder. */
const customInfo: Json = { title: "Kubernetes CRD Swagger", version: "v0.1.0" };

/** All that the document shows of a custom resource. */
function fingerprint(definition: ResourceDefinition): unknown {
  const { group, version, plural, kind, listKind, scope, custom, fieldSelectors, subresources } = definition;
  const names = [Object.keys(fieldSelectors), Object.keys(subresources)];
  return [group, version, plural, kind, listKind, scope, custom, names];
}

/** Kinds of meta/v1 that are registered in every group version. */
const everywhere = /\.meta\.v1\.(?:DeleteOptions|WatchEvent)$/;

const bearerToken: Json = {
  description: "Bearer Token authentication",
  type: "apiKey",
  name: "authorization",
  in: "header",
};
