import type { Json } from "./definitions.ts";
import {
  any,
  bool,
  type Content,
  double,
  each,
  int,
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
 * The protobuf form of an OpenAPI v3 document
 * (`application/com.github.proto-openapi.spec.v3.v1.0+protobuf`). Only what our documents contain.
 * Source: gnostic's OpenAPIv3.proto.
 */
export function encodeOpenApi(document: object): Uint8Array {
  return writeDocument(documentMessage, document);
}

const reference = message({ $ref: [1, string], summary: [2, string], description: [3, string] });

/** Field 1 is the thing itself, field 2 a reference to one. */
function orReference(content: Content): Content {
  const itself = nested(1, content);
  const referred = nested(2, reference);
  return (value, to) => ("$ref" in (value as Json) ? referred : itself)(value, to);
}

const schemaOrReference = orReference((value, to) => schemaMessage(value, to));

const namedSchemas = named(1, nested(2, schemaOrReference));

const aBoolean = oneOfScalars({ boolean: 2 });

const additionalProperties: Content = (value, to) => {
  if (typeof value === "boolean") aBoolean(value, to);
  else nested(1, schemaOrReference)(value, to);
};

const schemaMessage: Content = message(
  {
    nullable: [1, bool],
    readOnly: [3, bool],
    writeOnly: [4, bool],
    externalDocs: [6, of(message({ description: [1, string], url: [2, string] }))],
    example: [7, of(any)],
    deprecated: [8, bool],
    title: [9, string],
    multipleOf: [10, double],
    maximum: [11, double],
    exclusiveMaximum: [12, bool],
    minimum: [13, double],
    exclusiveMinimum: [14, bool],
    maxLength: [15, int],
    minLength: [16, int],
    pattern: [17, string],
    maxItems: [18, int],
    minItems: [19, int],
    uniqueItems: [20, bool],
    maxProperties: [21, int],
    minProperties: [22, int],
    required: [23, strings],
    enum: [24, each(any)],
    type: [25, string],
    allOf: [26, each(schemaOrReference)],
    oneOf: [27, each(schemaOrReference)],
    anyOf: [28, each(schemaOrReference)],
    not: [29, of((value, to) => schemaMessage(value, to))],
    items: [30, of(nested(1, schemaOrReference))],
    properties: [31, of(namedSchemas)],
    additionalProperties: [32, of(additionalProperties)],
    // Of lists and maps the parser keeps only that there is a default.
    default: [33, of(oneOfScalars({ number: 1, boolean: 2, string: 3 }))],
    description: [34, string],
    format: [35, string],
  },
  36,
);

const mediaTypes = named(1, nested(2, message({ schema: [1, of(schemaOrReference)] }, 5)));

const parameter = message(
  {
    name: [1, string],
    in: [2, string],
    description: [3, string],
    required: [4, bool],
    deprecated: [5, bool],
    schema: [10, of(schemaOrReference)],
  },
  14,
);

const requestBody = message({ description: [1, string], content: [2, of(mediaTypes)], required: [3, bool] }, 4);

const response = message({ description: [1, string], content: [3, of(mediaTypes)] }, 5);

const operation = message(
  {
    tags: [1, strings],
    summary: [2, string],
    description: [3, string],
    operationId: [5, string],
    parameters: [6, each(orReference(parameter))],
    requestBody: [7, of(orReference(requestBody))],
    responses: [8, of(named(2, nested(2, orReference(response))))],
    deprecated: [10, bool],
  },
  13,
);

const pathItem = message(
  {
    summary: [2, string],
    description: [3, string],
    get: [4, of(operation)],
    put: [5, of(operation)],
    post: [6, of(operation)],
    delete: [7, of(operation)],
    options: [8, of(operation)],
    head: [9, of(operation)],
    patch: [10, of(operation)],
    trace: [11, of(operation)],
    parameters: [13, each(orReference(parameter))],
  },
  14,
);

const apiKeySecurity = message({ type: [1, string], description: [2, string], name: [3, string], in: [4, string] }, 9);

const components = message(
  {
    schemas: [1, of(namedSchemas)],
    securitySchemes: [7, of(named(1, nested(2, orReference(apiKeySecurity))))],
  },
  10,
);

const documentMessage = message(
  {
    openapi: [1, string],
    info: [2, of(message({ title: [1, string], description: [2, string], version: [6, string] }))],
    paths: [4, of(named(1, nested(2, pathItem)))],
    components: [5, of(components)],
  },
  9,
);
