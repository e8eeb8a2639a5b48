import assert from "node:assert/strict";
import { test } from "node:test";
import { tests as conformance } from "@bufbuild/cel-spec/testdata/conformance.js";
import type { Overload } from "./declaration.ts";
import { createEnvironment, type Environment } from "./environment.ts";
import { equals } from "./equality.ts";
import { bindingsLibrary, twoVariableLibrary } from "./library/comprehensions.ts";
import { encodersLibrary } from "./library/encoders.ts";
import { mathLibrary } from "./library/math.ts";
import { optionalLibrary } from "./library/optionals.ts";
import { standardLibrary } from "./library/standard.ts";
import { newStringsLibrary } from "./library/strings.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import {
  anyType,
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  formatType,
  intType,
  listType,
  mapType,
  nullType,
  opaqueType,
  optionalType,
  paramType,
  stringType,
  timestampType,
  typeOfType,
  typeType,
  uintType,
  wrapperType,
  type CelType,
} from "./types.ts";
import { parseType } from "./signature.ts";
import { ArrayList, CelTypeValue, CelUint, ValueMap, type CelValue } from "./value.ts";

// The official cases, as the protobuf messages of cel.expr.conformance.test in their JSON form.

interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Json }[];
}

type Json = Readonly<Record<string, unknown>>;

interface Case {
  readonly path: string;
  readonly spec: Json;
}

function* casesOf(suite: Suite, path = ""): Generator<Case> {
  for (const { original } of suite.tests ?? []) {
    yield { path: `${path}/${String(original["name"])}`, spec: original };
  }
  for (const inner of suite.suites ?? []) yield* casesOf(inner, `${path}/${inner.name}`);
}

/** Messages and enums of protobuf, which nothing in Kubernetes' CEL has. */
const protobufNames =
  /NullValue|\w+Value\{|TestAllTypes|NestedTestAllTypes|TestRequired|(?:Global|Nested|Imported)\w*Enum|google\.protobuf\.(?!Timestamp\b|Duration\b)\w+|cel\.expr\.conformance|proto\.(?:get|has)Ext|enumValue/;

function needsProtobuf(spec: Json): boolean {
  return protobufNames.test(JSON.stringify(spec));
}

/** Cases that need no message and yet do not apply. */
const skipped: ReadonlyMap<RegExp, string> = new Map([
  [/^\/block_ext\//, "cel.@block is what cel-go's optimizer emits, not an expression users write"],
  [/^\/unknowns\//, "unknown values belong to partial evaluation"],
  [/\/map_value_repeat_key/, "cel-go keeps the last value, and skips this case too"],
  [/\/duration_converters\/get_milliseconds$/, "cel-go gives all milliseconds, and skips this too"],
  [/\/value_errors\/(?:last)?indexof_out_of_range$/, "cel-go gives -1, and skips this case too"],
  [/\/null_assignable_to_abstract_parameter/, "cel-go gives another type, and skips this case too"],
  [
    /\/map_(?:null_entry_no_such_key|present_key_invalid_field)$/,
    "Kubernetes leaves cel-go's errorOnBadPresenceTest off",
  ],
]);

function skipReason(path: string): string | undefined {
  for (const [pattern, reason] of skipped) if (pattern.test(path)) return reason;
  return undefined;
}

const libraries = [
  standardLibrary,
  optionalLibrary,
  twoVariableLibrary,
  bindingsLibrary,
  newStringsLibrary,
  mathLibrary,
  encodersLibrary,
];

function field(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>)[name] : undefined;
}

function list(json: unknown): readonly unknown[] {
  return Array.isArray(json) ? json : [];
}

function double(json: unknown): number {
  return Number(json);
}

function toValue(json: unknown): CelValue {
  const [kind, content] = Object.entries(json as Json)[0] ?? [];
  switch (kind) {
    case "nullValue":
      return null;
    case "boolValue":
      return content === true;
    case "int64Value":
      return BigInt(String(content));
    case "uint64Value":
      return new CelUint(BigInt(String(content)));
    case "doubleValue":
      return double(content);
    case "stringValue":
      return String(content);
    case "bytesValue":
      return new Uint8Array(Buffer.from(String(content), "base64"));
    case "typeValue":
      return new CelTypeValue(namedType(String(content)));
    case "listValue":
      return new ArrayList(list(field(content, "values")).map(toValue));
    case "mapValue": {
      const entries = list(field(content, "entries"));
      return new ValueMap(entries.map((e) => [toValue(field(e, "key")), toValue(field(e, "value"))]));
    }
    case "objectValue":
      return toTime(String(field(content, "@type")), String(field(content, "value")));
    default:
      throw new Error(`value of kind ${kind}`);
  }
}

function toTime(type: string, text: string): CelValue {
  const value = type.endsWith("Duration") ? parseDuration(text) : parseTimestamp(text);
  if (value === undefined) throw new Error(`value ${text} of ${type}`);
  return value;
}

function namedType(name: string): CelType {
  const known: Record<string, CelType> = {
    "google.protobuf.Timestamp": timestampType,
    "google.protobuf.Duration": durationType,
    null_type: nullType,
    list: listType(dynType),
    map: mapType(dynType, dynType),
    optional_type: optionalType(dynType),
  };
  return known[name] ?? parseType(name);
}

const primitives: Readonly<Record<string, CelType>> = {
  BOOL: boolType,
  INT64: intType,
  UINT64: uintType,
  DOUBLE: doubleType,
  STRING: stringType,
  BYTES: bytesType,
};

function toType(json: unknown): CelType {
  const [kind, content] = Object.entries(json as Json)[0] ?? [];
  const inner = (name: string): CelType => toType(field(content, name));
  switch (kind) {
    case "primitive":
      return primitives[String(content)] ?? dynType;
    case "wrapper":
      return wrapperType(primitives[String(content)] ?? dynType);
    case "null":
      return nullType;
    case "wellKnown":
      return { ANY: anyType, TIMESTAMP: timestampType, DURATION: durationType }[String(content)] ?? dynType;
    case "listType":
      return listType(inner("elemType"));
    case "mapType":
      return mapType(inner("keyType"), inner("valueType"));
    case "type":
      return content === undefined || Object.keys(content as Json).length === 0
        ? typeType
        : typeOfType(toType(content));
    case "abstractType":
      return opaqueType(String(field(content, "name")), ...list(field(content, "parameterTypes")).map(toType));
    case "typeParam":
      return paramType(String(content));
    default:
      return dynType;
  }
}

function toOverload(name: string, overload: unknown): Overload {
  return {
    id: String(field(overload, "overloadId")),
    name,
    member: field(overload, "isInstanceFunction") === true,
    args: list(field(overload, "params")).map(toType),
    result: toType(field(overload, "resultType")),
    typeParams: list(field(overload, "typeParams")).map(String),
  };
}

function environmentFor(spec: Json): Environment {
  const variables: Record<string, CelType> = {};
  const declared: Overload[] = [];
  for (const declaration of list(spec["typeEnv"])) {
    const type = field(field(declaration, "ident"), "type");
    const name = String(field(declaration, "name"));
    if (type !== undefined) variables[name] = toType(type);
    for (const overload of list(field(field(declaration, "function"), "overloads"))) {
      declared.push(toOverload(name, overload));
    }
  }
  return createEnvironment({
    libraries: declared.length === 0 ? libraries : [...libraries, { name: "case", overloads: declared }],
    variables,
    container: String(spec["container"] ?? ""),
    validateLiterals: false,
    parse: { unicodeInBytes: false },
  });
}

function runCase(spec: Json): void {
  const expression = String(spec["expr"]);
  const compiled = environmentFor(spec).compile(expression, {
    check: spec["disableCheck"] !== true,
  });
  const expectsError = spec["evalError"] !== undefined || spec["anyEvalErrors"] !== undefined;
  if (!compiled.ok) {
    assert.ok(expectsError, compiled.message);
    return;
  }
  const deduced = field(spec["typedResult"], "deducedType");
  if (deduced !== undefined) {
    assert.equal(formatType(compiled.resultType), formatType(toType(deduced)));
  }
  if (spec["checkOnly"] === true) return;
  const bindings = Object.entries((spec["bindings"] ?? {}) as Json).map(([name, bound]) => {
    return [name, toValue(field(bound, "value"))] as const;
  });
  const result = compiled.program.evaluate(Object.fromEntries(bindings));
  if (expectsError) {
    assert.ok(!result.ok, "should fail");
    return;
  }
  assert.ok(result.ok, result.ok ? "" : result.error.message);
  const expected = spec["value"] ?? field(spec["typedResult"], "result") ?? { boolValue: true };
  assertSame(result.value, toValue(expected));
}

function assertSame(actual: CelValue, expected: CelValue): void {
  const isNan = Number.isNaN(expected) && Number.isNaN(actual);
  const sameNumberType = typeof actual === typeof expected;
  assert.ok(isNan || (sameNumberType && equals(actual, expected)), `got ${show(actual)}`);
}

function show(value: CelValue): string {
  return typeof value === "bigint"
    ? `${value}n`
    : JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v));
}

const counts = { run: 0, protobuf: 0, skipped: 0 };
for (const { path, spec } of casesOf(conformance as Suite)) {
  if (needsProtobuf(spec)) {
    counts.protobuf++;
    continue;
  }
  const reason = skipReason(path);
  if (reason !== undefined) {
    counts.skipped++;
    test(`conformance ${path}`, { skip: reason }, () => {});
    continue;
  }
  counts.run++;
  test(`conformance ${path}`, () => runCase(spec));
}

test("conformance runs all cases that need no protobuf messages", () => {
  assert.ok(counts.run > 1500, `ran ${counts.run}`);
});
