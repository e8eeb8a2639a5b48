import type { KubeObject } from "#apimachinery/object.ts";
import { apiVersionOf } from "#apimachinery/object.ts";
import type { Schema } from "#apimachinery/schema.ts";
import type { Admission } from "../admission/admission.ts";
import type { ConnectHandler, ConnectRequest } from "../http/frontend.ts";

/** Puts admission (operation CONNECT) before handlers; reading logs is no connection. */
export function admitConnects(
  connects: ReadonlyMap<string, ConnectHandler>,
  admission: Admission,
): ReadonlyMap<string, ConnectHandler> {
  const admitted = new Map<string, ConnectHandler>();
  for (const [name, handler] of connects) {
    admitted.set(name, async (request) => {
      await admit(request, admission);
      await handler(request);
    });
  }
  return admitted;
}

async function admit(
  { endpoint, call, query, info }: ConnectRequest,
  admission: Admission,
): Promise<void> {
  const { kind, schema } = endpoint.definition.subresources[call.subresource] ?? {};
  if (kind === undefined || schema === undefined) return;
  const path = info.path.split(`/${call.name}/proxy`)[1] ?? "";
  const options = {
    ...optionsOf(schema.fields, query),
    ...("path" in schema.fields && path && { path }),
  };
  const object = {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind.group, kind.version),
    ...options,
  } as KubeObject;
  const request = {
    operation: "CONNECT",
    call,
    endpoint,
    definition: endpoint.hub,
    name: call.name,
    kind,
    object,
  } as const;
  await admission.mutate(request);
  await admission.validate(request);
}

/** Query parameters as the options object that Go makes of them. */
function optionsOf(
  fields: Readonly<Record<string, { readonly schema: Schema }>>,
  query: URLSearchParams,
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, { schema }] of Object.entries(fields)) {
    const values = query.getAll(name);
    if (values.length === 0) continue;
    if (schema.type === "list") {
      options[name] = schema.items.type === "string" ? values : values.flatMap(numbersOf);
    } else if (schema.type === "bool") {
      if (isTrue(values[0] ?? "")) options[name] = true;
    } else if (values[0] !== "") options[name] = values[0];
  }
  return options;
}

function numbersOf(text: string): number[] {
  return text.split(",").map(Number).filter(Number.isInteger);
}

function isTrue(text: string): boolean {
  return text !== "" && text !== "false" && text !== "0";
}
