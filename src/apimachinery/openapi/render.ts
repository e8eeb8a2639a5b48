import { type Dialect, type Json, refTo, sorted } from "./definitions.ts";
import type { Operation, Path } from "./operations.ts";
import type { Parameter } from "./parameters.ts";

const responseTexts: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  401: "Unauthorized",
};

/** The item of a path: parameters that all its operations share stand once, beside them. */
export function pathItem({ operations }: Path, dialect: Dialect): Json {
  const shared = sharedParameters(operations);
  const item: Json = {};
  for (const operation of operations) {
    const own = operation.parameters.filter((parameter) => !has(shared, parameter));
    item[operation.method] = operationJson({ ...operation, parameters: own }, dialect);
  }
  if (shared.length > 0)
    item["parameters"] = byName(shared).map((each) => parameterJson(each, dialect));
  return sorted(item);
}

function has(
  parameters: readonly Parameter[],
  { name, in: place, description }: Parameter,
): boolean {
  return parameters.some(
    (each) => each.name === name && each.in === place && each.description === description,
  );
}

function sharedParameters(operations: readonly Operation[]): readonly Parameter[] {
  const [first, ...others] = operations;
  if (first === undefined) return [];
  return first.parameters.filter((each) => others.every(({ parameters }) => has(parameters, each)));
}

function byName(parameters: readonly Parameter[]): Parameter[] {
  return parameters.toSorted((a, b) => {
    if (a.name !== b.name) return a.name < b.name ? -1 : 1;
    return a.in < b.in ? -1 : 1;
  });
}

function parameterJson({ name, in: place, type, description }: Parameter, dialect: Dialect): Json {
  return {
    ...(dialect === 2 && { uniqueItems: true, type }),
    description,
    name,
    in: place,
    ...(place === "path" && { required: true }),
    ...(dialect === 3 && { schema: { type, uniqueItems: true } }),
  };
}

function operationJson(operation: Operation, dialect: Dialect): Json {
  const parameters: Json[] = byName(operation.parameters).map((each) =>
    parameterJson(each, dialect),
  );
  return {
    ...(operation.description !== undefined && { description: operation.description }),
    ...(dialect === 2 ? contentV2(operation, parameters) : contentV3(operation, parameters)),
    tags: [operation.tag],
    operationId: operation.operationId,
    ...(operation.action !== undefined && { "x-kubernetes-action": operation.action }),
    ...(operation.kind && { "x-kubernetes-group-version-kind": operation.kind }),
  };
}

function contentV2(operation: Operation, parameters: Json[]): Json {
  const { body, consumes, produces } = operation;
  if (body !== undefined) {
    parameters.unshift({
      name: "body",
      in: "body",
      ...(body.required && { required: true }),
      schema: { $ref: refTo(2, body.schema) },
    });
  }
  const responses: Json = {};
  for (const { code, schema } of operation.responses) {
    responses[code] = { description: responseTexts[code], schema: contentSchema(schema, 2) };
  }
  responses[401] = { description: responseTexts[401] };
  return {
    ...(consumes && { consumes }),
    ...(produces && { produces }),
    schemes: ["https"],
    ...(parameters.length > 0 && { parameters }),
    responses,
  };
}

function contentV3(operation: Operation, parameters: Json[]): Json {
  const { body, consumes = [], produces = [] } = operation;
  const content = (types: readonly string[], schema: string): Json =>
    Object.fromEntries(types.map((type) => [type, { schema: contentSchema(schema, 3) }]));
  const responses: Json = {};
  for (const { code, schema } of operation.responses) {
    responses[code] = {
      description: responseTexts[code],
      content: sorted(content(produces, schema)),
    };
  }
  responses[401] = { description: responseTexts[401] };
  return {
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        content: sorted(content(consumes, body.schema)),
        ...(body.required && { required: true }),
      },
    }),
    responses,
  };
}

function contentSchema(schema: string, dialect: Dialect): Json {
  return schema === "text" ? { type: "string" } : { $ref: refTo(dialect, schema) };
}
