import type { Json } from "./definitions.ts";
import {
  any,
  bool,
  type Content,
  double,
  each,
  int,
  type Members,
  message,
  named,
  nested,
  of,
  oneOfScalars,
  string,
  strings,
  writeDocument,
} from "./gnostic-message.ts";

/**
 * The protobuf form of an OpenAPI v2 document, as kubectl asks for it
 * (`application/com.github.proto-openapi.spec.v2@v1.0+protobuf`). Only what our documents contain.
 * Source: gnostic's OpenAPIv2.proto.
 */
export function encodeSwagger(document: object): Uint8Array {
  return writeDocument(documentMessage, document);
}

const aBoolean = oneOfScalars({ boolean: 2 });

const additionalProperties: Content = (value, to) => {
  if (typeof value === "boolean") aBoolean(value, to);
  else nested(1, schemaMessage)(value, to);
};

const schemaMessage: Content = message(
  {
    $ref: [1, string],
    format: [2, string],
    title: [3, string],
    description: [4, string],
    default: [5, of(any)],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, bool],
    minimum: [9, double],
    exclusiveMinimum: [10, bool],
    maxLength: [11, int],
    minLength: [12, int],
    pattern: [13, string],
    maxItems: [14, int],
    minItems: [15, int],
    uniqueItems: [16, bool],
    maxProperties: [17, int],
    minProperties: [18, int],
    required: [19, strings],
    enum: [20, each(any)],
    additionalProperties: [21, of(additionalProperties)],
    type: [22, of((value, to) => strings(1)(value, to))],
    items: [23, of((value, to) => nested(1, schemaMessage)(value, to))],
    allOf: [24, each((value, to) => schemaMessage(value, to))],
    properties: [25, of((value, to) => namedSchemas(value, to))],
    readOnly: [27, bool],
    example: [30, of(any)],
  },
  31,
);

const namedSchemas: Content = named(
  1,
  nested(2, (value, to) => schemaMessage(value, to)),
);

const parameterMembers: Members = {
  required: [1, bool],
  in: [2, string],
  description: [3, string],
  name: [4, string],
};

const bodyParameter = message(
  {
    description: [1, string],
    name: [2, string],
    in: [3, string],
    required: [4, bool],
    schema: [5, of(schemaMessage)],
  },
  6,
);
const queryParameter = message(
  { ...parameterMembers, type: [6, string], format: [7, string], uniqueItems: [20, bool] },
  23,
);
const pathParameter = message(
  { ...parameterMembers, type: [5, string], format: [6, string], uniqueItems: [19, bool] },
  22,
);

const parameter: Content = (value, to) => {
  const place = (value as Json)["in"];
  if (place === "body") nested(1, bodyParameter)(value, to);
  else if (place === "query") nested(2, (it, at) => nested(3, queryParameter)(it, at))(value, to);
  else nested(2, (it, at) => nested(4, pathParameter)(it, at))(value, to);
};

const reference = message({ $ref: [1, string], description: [2, string] });

const parametersItem: Content = (value, to) => {
  if ("$ref" in (value as Json)) nested(2, reference)(value, to);
  else nested(1, parameter)(value, to);
};

const response = message(
  {
    description: [1, string],
    schema: [2, of((value, to) => nested(1, schemaMessage)(value, to))],
  },
  5,
);

const responses = named(
  1,
  nested(2, (value, to) => nested(1, response)(value, to)),
);

const securityRequirement = named(
  1,
  nested(2, (value, to) => strings(1)(value, to)),
);

const operation = message(
  {
    tags: [1, strings],
    summary: [2, string],
    description: [3, string],
    operationId: [5, string],
    produces: [6, strings],
    consumes: [7, strings],
    parameters: [8, each(parametersItem)],
    responses: [9, of(responses)],
    schemes: [10, strings],
    deprecated: [11, bool],
    security: [12, each(securityRequirement)],
  },
  13,
);

const pathItem = message(
  {
    get: [2, of(operation)],
    put: [3, of(operation)],
    post: [4, of(operation)],
    delete: [5, of(operation)],
    options: [6, of(operation)],
    head: [7, of(operation)],
    patch: [8, of(operation)],
    parameters: [9, each(parametersItem)],
  },
  10,
);

const apiKeySecurity = message({
  type: [1, string],
  name: [2, string],
  in: [3, string],
  description: [4, string],
});

const documentMessage = message(
  {
    swagger: [1, string],
    info: [2, of(message({ title: [1, string], version: [2, string], description: [3, string] }))],
    paths: [8, of(named(2, nested(2, pathItem)))],
    definitions: [9, of(namedSchemas)],
    parameters: [10, of(named(1, nested(2, parameter)))],
    security: [12, each(securityRequirement)],
    securityDefinitions: [
      13,
      of(
        named(
          1,
          nested(2, (value, to) => nested(2, apiKeySecurity)(value, to)),
        ),
      ),
    ],
  },
  16,
);
