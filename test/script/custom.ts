import type { Objects } from "./api.ts";
import { encodings, type Thing } from "./encoding.ts";
import type { World } from "./scenario.ts";

/** Definitions of custom resources as the suite's fixtures make them. */

export interface Version {
  readonly name: string;
  readonly served?: boolean;
  /** @default that it keeps whatever it gets */
  readonly schema?: object;
  readonly [field: string]: unknown;
}

export interface CustomSpec {
  /** @default one version `v1` */
  readonly versions?: readonly Version[];
  /** @default "Namespaced" */
  readonly scope?: "Namespaced" | "Cluster";
  /** @default a group of the scenario's own */
  readonly group?: string;
  readonly plural?: string;
  readonly kind?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly conversion?: object;
}

export const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

export interface Custom {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  /** The definition as it was created. */
  readonly definition: Thing;
  readonly definitions: Objects;
  /** Instances, which speak JSON; of the scenario's namespace where they have one. */
  objects(version?: string): Objects;
}

/** The first version is stored. */
export function definitionOf({ unique }: World, spec: CustomSpec = {}): Thing {
  const { plural = `${unique.replaceAll("-", "")}s`, group = `${unique}.example.com`, kind = `E2e-${plural}` } = spec;
  const { versions = [{ name: "v1" }], labels, conversion, scope = "Namespaced" } = spec;
  return {
    metadata: { name: `${plural}.${group}`, ...(labels && { labels }) },
    spec: {
      group,
      scope,
      names: { plural, singular: plural.replace(/s$/, ""), kind, listKind: `${kind}List` },
      versions: versions.map(({ schema, ...version }, i) => ({
        served: true,
        ...version,
        storage: i === 0,
        schema: { openAPIV3Schema: schema ?? anything },
      })),
      ...(conversion && { conversion }),
    },
  };
}

/** Instances may be made at once when this resolves. */
export async function define(world: World, spec: CustomSpec = {}): Promise<Custom> {
  const definition = definitionOf(world, spec);
  const { group, names, versions, scope } = definition["spec"] as {
    readonly group: string;
    readonly names: { readonly plural: string; readonly kind: string };
    readonly versions: readonly Version[];
    readonly scope: string;
  };
  const definitions = world.all("apiextensions.k8s.io/v1", "customresourcedefinitions");
  const created = await definitions.create(definition);
  const json = world.api.in(encodings.json);
  const namespace = scope === "Namespaced" ? world.namespace : "";
  return {
    group,
    ...names,
    definition: created,
    definitions,
    objects: (version = versions[0]?.name ?? "") => json.objects(`${group}/${version}`, names.plural, namespace, names.kind),
  };
}
