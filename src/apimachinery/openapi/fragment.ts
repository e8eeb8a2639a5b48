import { listSchemaOf } from "../meta/list.ts";
import { DeleteOptions } from "../meta/options.ts";
import { Status } from "../meta/status.ts";
import { WatchEvent } from "../meta/watch-event.ts";
import type { ResourceDefinition } from "../resource.ts";
import type { Fields, StructSchema } from "../schema.ts";
import { addCustomDefinitions } from "./custom-definitions.ts";
import { addDefinitions, type DefinitionOptions, type Json } from "./definitions.ts";
import { fixedSchemas } from "./fixed-paths.ts";
import { type Path, patchDefinition } from "./operations.ts";
import { pathItem } from "./render.ts";

/** Paths and definitions of one group version, or of other paths, in one dialect. */
export interface Fragment {
  readonly paths: Json;
  readonly definitions: ReadonlyMap<string, Json>;
}

const metaSchemas: readonly StructSchema<Fields>[] = [
  DeleteOptions,
  Status,
  WatchEvent,
  ...fixedSchemas,
];

/** Renders paths and everything that they refer to; what is among `definitions` already stays. */
export function renderFragment(
  paths: readonly Path[],
  resources: readonly ResourceDefinition[],
  options: DefinitionOptions,
  definitions = new Map<string, Json>(),
): Fragment {
  const referred = referredBy(paths);
  const add = (schema: StructSchema<Fields>): void => {
    if (referred.has(schema.name)) addDefinitions(schema, definitions, options);
  };
  for (const resource of resources) {
    if (resource.custom !== undefined) addCustomDefinitions(resource, definitions, options);
    else {
      add(resource.schema);
      add(listSchemaOf(resource.schema));
    }
    for (const { schema } of Object.values(resource.subresources)) {
      if (schema !== undefined) add(schema);
    }
  }
  for (const schema of metaSchemas) add(schema);
  if (referred.has(patchDefinition)) definitions.set(patchDefinition, patchJson(options));
  const items = paths.map((path) => [path.path, pathItem(path, options.dialect)] as const);
  return { paths: Object.fromEntries(items), definitions };
}

function referredBy(paths: readonly Path[]): Set<string> {
  const names = new Set<string>();
  for (const { operations } of paths) {
    for (const { body, responses } of operations) {
      if (body !== undefined) names.add(body.schema);
      for (const { schema } of responses) names.add(schema);
    }
  }
  return names;
}

function patchJson({ describe }: DefinitionOptions): Json {
  const description = describe(patchDefinition);
  return { ...(description !== undefined && { description }), type: "object" };
}
