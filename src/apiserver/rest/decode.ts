import { DecodeError, decodeJson } from "#apimachinery/json-codec.ts";
import { decodeProto, unwrapUnknown } from "#apimachinery/proto-codec.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import { mergeRepeated } from "#apimachinery/repeated-members.ts";
import { apiVersionOf, type GroupVersionKind, type KubeObject, parseApiVersion } from "#apimachinery/object.ts";
import type { ResourceDefinition } from "#apimachinery/resource.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import { badRequest, isStatusError, type StatusError } from "#apimachinery/status.ts";
import { JsonError, parseJsonStrict, typedJson, untypedJson, writeJsonText } from "#wire/json.ts";
import { parseYaml } from "#wire/yaml.ts";
import type { Body, Call } from "../call.ts";
import { codecOf, type ObjectCodec } from "../storage/codec.ts";

/** How strictly unknown and repeated fields are taken. Upstream's default is Warn. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** The kinds of the server: to tell a misplaced kind from an unknown one. */
export interface KindLookup {
  has(gvk: GroupVersionKind): boolean;
  /** The schema of a built-in kind that is served. */
  schemaOf?(gvk: GroupVersionKind): StructSchema<Fields> | undefined;
}

/** What a body must be. */
export interface Expected {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly codec: Pick<ObjectCodec, "decode">;
  readonly schema: StructSchema<Fields>;
  /** Option kinds are the same in every group version. */
  readonly anyVersion?: boolean;
  /** Options are decoded without the words about the object around an error. */
  readonly bare?: boolean;
  /** Custom resources: a wrong kind is a finding of validation. */
  readonly anyKind?: boolean;
}

export function expectedOf(definition: ResourceDefinition): Expected {
  const { group, version, kind, schema } = definition;
  const anyKind = definition.custom !== undefined;
  return { group, version, kind, schema, anyKind, codec: codecOf(definition) };
}

/** A kind that no resource carries: a review, an option, a binding. */
export function kindOf(schema: StructSchema<Fields>, group: string, version: string): Expected {
  const kind = schema.name.slice(schema.name.lastIndexOf(".") + 1);
  return {
    group,
    version,
    kind,
    schema,
    codec: {
      decode: (value, collectFindings) => {
        const { object, findings } = decodeJson(schema, value, { collectFindings });
        return { object: object as KubeObject, findings: [...findings] };
      },
    },
  };
}

/**
 * Decodes the body of a create or update into a fresh object that the request owns; no defaults.
 * Errors: BadRequest with upstream's texts. Unknown and repeated fields warn or fail as
 * `fieldValidation` says.
 */
export function decodeBody(call: Call, expected: Expected, kinds: KindLookup): KubeObject {
  const body = call.body ?? { form: "bytes", mediaType: "json", bytes: new Uint8Array() };
  const validation = call.options.fieldValidation ?? "Warn";
  const collect = validation !== "Ignore";
  const { value, duplicates } = readValue(body, expected, collect);
  const named = namedKind(value, expected, body);
  checkKind(named, expected, kinds);
  if (expected.anyKind === true) requireKind(value, expected, body);
  const decoded = decodeValue(value, { expected, named, collect, tellsEmpty: tellsEmpty(body) });
  report(call, validation, {
    findings: [...decoded.findings, ...duplicates],
    prefix: `${named.kind} in version ${JSON.stringify(named.version)} cannot be handled as a ${expected.kind}: `,
  });
  if (expected.anyKind === true) checkVersion(named, expected);
  const object = {
    ...decoded.object,
    kind: expected.anyKind === true ? named.kind : expected.kind,
    apiVersion: apiVersionOf(expected.group, expected.version),
  };
  call.trail?.request(object);
  return object;
}

/** Unstructured content says itself what it is. */
function requireKind(value: unknown, expected: Expected, body: Body): void {
  if (isJsonMap(value) && typeof value["kind"] === "string" && value["kind"] !== "") return;
  throw unrecognized(expected, body, `Object 'Kind' is missing in '${writeJsonText(value)}'`);
}

/** The version that a custom resource names must be that of the URL. */
function checkVersion(named: GroupVersionKind, expected: Expected): void {
  if (named.group === expected.group && named.version === expected.version) return;
  throw badRequest(
    `the API version in the data (${apiVersionOf(named.group, named.version)}) does not match the ` +
      `expected API version (${apiVersionOf(expected.group, expected.version)})`,
  );
}

/** Warns of, or refuses, what strict decoding found. */
export function report(
  call: Call,
  validation: FieldValidation,
  found: { readonly findings: readonly string[]; readonly prefix: string },
): void {
  if (found.findings.length === 0) return;
  if (validation === "Strict") {
    throw badRequest(`${found.prefix}strict decoding error: ${found.findings.join(", ")}`);
  }
  if (validation !== "Warn") return;
  // What YAML finds is one error of many lines, and a warning for each.
  const lines = found.findings.flatMap((finding) =>
    finding.startsWith(yamlErrors) ? finding.slice(yamlErrors.length).split("\n  ") : [finding],
  );
  for (const line of lines) call.warn(line);
}

const yamlErrors = "yaml: unmarshal errors:\n  ";

interface Parsed {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

function readValue(body: Body, expected: Expected, collect: boolean): Parsed {
  if (body.form === "object") return { value: body.value, duplicates: [] };
  try {
    if (body.mediaType === "protobuf") return { value: readProto(body.bytes, expected), duplicates: [] };
    if (body.mediaType === "yaml") return readYaml(body.bytes, collect);
    return readJsonBody(body.bytes, expected, collect);
  } catch (error) {
    if (isStatusError(error)) throw error;
    if (!(error instanceof JsonError)) throw unrecognized(expected, body, String((error as Error).message));
    throw unrecognized(expected, body, `couldn't get version/kind; json parse error: ${error.message}`);
  }
}

function readJsonBody(bytes: Uint8Array, { schema, anyKind }: Expected, collect: boolean): Parsed {
  const { value, duplicates } = parseJsonStrict(bytes, anyKind === true ? untypedJson : typedJson);
  if (duplicates.length === 0) return { value, duplicates };
  const found = collect ? duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`) : [];
  return { value: anyKind === true ? value : mergeRepeated(schema, value), duplicates: found };
}

function readYaml(bytes: Uint8Array, collect: boolean): Parsed {
  const { value, duplicates } = parseYaml(bytes);
  if (!collect || duplicates.length === 0) return { value: value ?? {}, duplicates: [] };
  return { value: value ?? {}, duplicates: [yamlErrors + duplicates.join("\n  ")] };
}

function readProto(bytes: Uint8Array, expected: Expected): unknown {
  const envelope = unwrapUnknown(bytes);
  if (envelope === undefined) {
    const body: Body = { form: "bytes", mediaType: "protobuf", bytes };
    throw unrecognized(
      expected,
      body,
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  }
  const object = decodeProto(expected.schema, envelope.raw) as object;
  return {
    ...object,
    ...(envelope.kind !== "" && { kind: envelope.kind }),
    ...(envelope.apiVersion !== "" && { apiVersion: envelope.apiVersion }),
  };
}

function unrecognized(expected: Expected, body: Body, why: string): StatusError {
  if (expected.bare === true) return badRequest(why);
  const shown = body.form === "bytes" ? summary(body.bytes) : "object";
  return badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${shown})`);
}

const summaryBytesMax = 30;

function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const head = Buffer.from(bytes.subarray(0, summaryBytesMax));
  const text = bytes[0] === 0x7b ? head.toString("utf8") : head.toString("hex");
  return bytes.length > summaryBytesMax ? `${text} ...` : text;
}

/** Kind and version of the value, with those of the resource where it has none. */
function namedKind(value: unknown, expected: Expected, body: Body): GroupVersionKind {
  if (value === null || value === undefined) return expected;
  if (typeof value !== "object" || Array.isArray(value)) {
    const what = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    const why =
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type ` +
      'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    throw unrecognized(expected, body, why);
  }
  const { kind, apiVersion } = value as Record<string, unknown>;
  for (const [field, found] of [
    ["apiVersion", apiVersion],
    ["kind", kind],
  ] as const) {
    if (found === undefined || found === null || typeof found === "string") continue;
    const what = Array.isArray(found) ? "array" : typeof found === "boolean" ? "bool" : typeof found;
    const why =
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} ` +
      `into Go struct field .${field} of type string`;
    throw unrecognized(expected, body, why);
  }
  const own = typeof apiVersion === "string" && apiVersion !== "" ? parseApiVersion(apiVersion) : expected;
  return {
    group: own.group,
    version: own.version,
    kind: typeof kind === "string" && kind !== "" ? kind : expected.kind,
  };
}

function checkKind(named: GroupVersionKind, expected: Expected, kinds: KindLookup): void {
  if (expected.anyKind === true) return;
  if (expected.anyVersion === true && named.kind === expected.kind) return;
  const sameVersion = named.group === expected.group && named.version === expected.version;
  if (sameVersion && named.kind === expected.kind) return;
  const apiVersion = apiVersionOf(named.group, named.version);
  const prefix = `${named.kind} in version ${JSON.stringify(apiVersion === named.version ? apiVersion : named.version)} cannot be handled as a ${expected.kind}: `;
  if (expected.bare === true) throw badRequest(unregistered(named, internalScheme));
  if (!kinds.has(named)) throw badRequest(`${prefix}${unregistered(named, "pkg/api/legacyscheme/scheme.go:30")}`);
  if (named.kind === expected.kind && named.group === expected.group) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version ` +
        `(${apiVersionOf(expected.group, expected.version)})`,
    );
  }
  const from = `${named.version}.${named.kind}`;
  const to = `${expected.group === "" ? "core" : expected.group.split(".")[0]}.${expected.kind}`;
  throw badRequest(`${prefix}converting (${from}) to (${to}): unknown conversion`);
}

const internalScheme = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27";

function unregistered({ group, version, kind }: GroupVersionKind, scheme: string): string {
  const apiVersion = apiVersionOf(group, version);
  return (
    `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} ` +
    `in scheme ${JSON.stringify(scheme)}`
  );
}

/** Neither protobuf nor objects of this process tell empty lists from absent ones. */
function tellsEmpty(body: Body): boolean {
  return body.form === "bytes" && body.mediaType !== "protobuf";
}

function decodeValue(
  value: unknown,
  spec: { expected: Expected; named: GroupVersionKind; collect: boolean; tellsEmpty: boolean },
): { object: KubeObject; findings: string[] } {
  const sent = value ?? {};
  try {
    return spec.expected.codec.decode(sent, spec.collect, spec.tellsEmpty ? undefined : sent);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const { kind, version } = spec.named;
    if (spec.expected.bare === true) throw badRequest(error.message);
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${spec.expected.kind}: ${error.message}`,
    );
  }
}
