import { isJsonMap, type JsonMap } from "../json-value.ts";
import { getOwn } from "../maps.ts";

/**
 * A v2 document as one of v3, for servers that have none: what v2 cannot say stays unsaid. Shared parameters
 * are put in place. Source: kube-openapi pkg/openapiconv.
 */
export function openApiFromSwagger(swagger: JsonMap): JsonMap {
  const { info, securityDefinitions } = swagger;
  const shared = mapIn(swagger, "parameters");
  return {
    openapi: "3.0.0",
    ...(info !== undefined && { info }),
    paths: mapped(mapIn(swagger, "paths"), (item) => pathItem(item, shared)),
    components: {
      schemas: mapped(mapIn(swagger, "definitions"), schemaOf),
      ...(isJsonMap(securityDefinitions) && { securitySchemes: securityDefinitions }),
    },
  };
}

function mapIn(map: JsonMap, name: string): JsonMap {
  const found = map[name];
  return isJsonMap(found) ? found : {};
}

function mapped(map: JsonMap, convert: (value: JsonMap) => unknown): JsonMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, isJsonMap(value) ? convert(value) : value]));
}

function listIn(map: JsonMap, name: string): unknown[] {
  const found = map[name];
  return Array.isArray(found) ? found : [];
}

/** References lead elsewhere, and stand alone. */
function schemaOf(schema: JsonMap): JsonMap {
  const { $ref, properties, items, additionalProperties, ...rest } = schema;
  const own = {
    ...rest,
    ...(isJsonMap(properties) && { properties: mapped(properties, schemaOf) }),
    ...(isJsonMap(items) && { items: schemaOf(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: isJsonMap(additionalProperties) ? schemaOf(additionalProperties) : additionalProperties,
    }),
  };
  if (typeof $ref !== "string") return own;
  const ref = { $ref: $ref.replace("#/definitions/", "#/components/schemas/") };
  return Object.keys(own).length === 0 ? ref : { allOf: [ref], ...own };
}

const methods = ["get", "put", "post", "delete", "options", "head", "patch"] as const;

function pathItem(item: JsonMap, shared: JsonMap): JsonMap {
  const { parameters: _parameters, ...converted } = item;
  for (const method of methods) {
    const found = item[method];
    if (isJsonMap(found)) converted[method] = operation(found, shared);
  }
  const parameters = parametersIn(item, shared).map(parameter);
  return { ...converted, ...(parameters.length > 0 && { parameters }) };
}

function parametersIn(map: JsonMap, shared: JsonMap): JsonMap[] {
  return listIn(map, "parameters").flatMap((each) => {
    if (!isJsonMap(each)) return [];
    const { $ref } = each;
    const found = typeof $ref === "string" ? getOwn(shared, $ref.slice("#/parameters/".length)) : each;
    return isJsonMap(found) ? [found] : [];
  });
}

function parameter({ schema, type, format, uniqueItems, ...rest }: JsonMap): JsonMap {
  if (isJsonMap(schema)) return { ...rest, schema: schemaOf(schema) };
  const simple = { type, ...(format !== undefined && { format }), ...(uniqueItems === true && { uniqueItems }) };
  return { ...rest, schema: simple };
}

function operation({ consumes, produces, schemes: _schemes, ...rest }: JsonMap, shared: JsonMap): JsonMap {
  const all = parametersIn(rest, shared);
  const body = all.find((each) => each["in"] === "body");
  const parameters = all.filter((each) => each !== body).map(parameter);
  const { parameters: _parameters, ...converted } = rest;
  return {
    ...converted,
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { content: contentOf(consumes, body["schema"]), ...(body["required"] === true && { required: true }) },
    }),
    responses: mapped(mapIn(rest, "responses"), ({ schema, ...response }) => ({
      ...response,
      ...(isJsonMap(schema) && { content: contentOf(produces, schema) }),
    })),
  };
}

function contentOf(types: unknown, schema: unknown): JsonMap {
  const list = Array.isArray(types) ? types : [];
  const shown = isJsonMap(schema) ? schemaOf(schema) : {};
  return Object.fromEntries(list.map((type) => [String(type), { schema: shown }]));
}
