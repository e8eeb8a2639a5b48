import { setOwn } from "#apimachinery/maps.ts";
import { base64Bytes, configBytesMax, validateImmutableContents } from "./config-map.ts";
import { checkConfigMapKey } from "#apimachinery/validation/syntax.ts";
import {
  type Findings,
  invalidTexts,
  sortedEntries,
  validateImmutable,
} from "#apimachinery/validation/checks.ts";
import { invalid, required, tooLong } from "#apimachinery/field-error.ts";
import { ageColumn, column, nameColumn } from "#apimachinery/columns.ts";
import { metadata } from "#apimachinery/meta/object-meta.ts";
import { defineResource } from "#apimachinery/resource.ts";
import { bool, bytes, type Infer, kind, mapOf, named, opt, ptr, string } from "#apimachinery/schema.ts";

export const Secret = kind("io.k8s.api.core.v1.Secret", {
  metadata,
  immutable: ptr(5, bool),
  data: opt(2, mapOf(bytes)),
  stringData: opt(4, mapOf(string)),
  type: opt(3, named("v1.SecretType", string)),
});
export interface Secret extends Infer<typeof Secret> {}

export const secrets = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  schema: Secret,
  strategy: {
    allowCreateOnUpdate: true,
    default(secret) {
      secret.type ||= "Opaque";
      foldStringData(secret);
    },
    validate: (secret) => [...validateSecret(secret)],
    prepareForUpdate(secret, { old }) {
      // An update that names no type keeps it.
      if (secret.type === "Opaque" && old.type === undefined) secret.type = old.type;
    },
    validateUpdate: (secret, { old }) => [
      ...validateImmutable(secret.type, old.type, "type"),
      ...validateImmutableContents(secret, old),
      ...validateSecret(secret),
    ],
    warnings: ({ metadata: { annotations } }) => secretWarnings(annotations),
  },
  fieldSelectors: { type: (secret) => secret.type ?? "" },
  columns: [
    nameColumn,
    column("Type", (secret) => secret.type ?? "", { description: "What the data is for." }),
    column("Data", (secret) => Object.keys(secret.data ?? {}).length, {
      description: "Number of keys.",
    }),
    ageColumn,
  ],
});

/** Plain text is a convenience of writing: it is stored as data. */
function foldStringData(secret: Secret): void {
  if (secret.stringData === undefined) return;
  const data = { ...secret.data };
  for (const [key, value] of Object.entries(secret.stringData)) {
    setOwn(data, key, Buffer.from(value, "utf8").toString("base64"));
  }
  secret.data = data;
  delete secret.stringData;
}

export const serviceAccountNameAnnotation = "kubernetes.io/service-account.name";
const redacted = "<secret contents redacted>";

function* validateSecret(secret: Secret): Findings {
  const data = secret.data ?? {};
  let sizeBytes = 0;
  for (const [key, value] of sortedEntries(data)) {
    yield* invalidTexts(`data[${key}]`, key, checkConfigMapKey(key));
    sizeBytes += base64Bytes(value);
  }
  if (sizeBytes > configBytesMax) yield tooLong("data", configBytesMax);
  switch (secret.type) {
    case "kubernetes.io/service-account-token":
      if (!secret.metadata.annotations?.[serviceAccountNameAnnotation]) {
        yield required(`metadata.annotations[${serviceAccountNameAnnotation}]`, "");
      }
      break;
    case "kubernetes.io/dockercfg":
      yield* validateJsonKey(data, ".dockercfg");
      break;
    case "kubernetes.io/dockerconfigjson":
      yield* validateJsonKey(data, ".dockerconfigjson");
      break;
    case "kubernetes.io/basic-auth":
      if (data["username"] === undefined && data["password"] === undefined) {
        yield required("data[username]", "");
        yield required("data[password]", "");
      }
      break;
    case "kubernetes.io/ssh-auth":
      if (!data["ssh-privatekey"]) yield required("data[ssh-privatekey]", "");
      break;
    case "kubernetes.io/tls":
      for (const key of ["tls.crt", "tls.key"]) {
        if (data[key] === undefined) yield required(`data[${key}]`, "");
      }
      break;
    default:
    // Other types promise nothing about their data.
  }
}

function* validateJsonKey(data: Readonly<Record<string, string>>, key: string): Findings {
  const value = data[key];
  if (value === undefined) {
    yield required(`data[${key}]`, "");
    return;
  }
  const fault = jsonObjectFault(Buffer.from(value, "base64").toString("utf8"));
  if (fault !== undefined) yield invalid(`data[${key}]`, redacted, fault);
}

/** Go's words for text that is no JSON object. */
function jsonObjectFault(text: string): string | undefined {
  if (text.trim() === "") return "unexpected end of JSON input";
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && !Array.isArray(parsed)) return undefined;
    const kind = Array.isArray(parsed)
      ? "array"
      : typeof parsed === "boolean"
        ? "bool"
        : typeof parsed;
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  } catch {
    const [first = ""] = text.trim();
    return /[{["\d]/.test(first)
      ? "unexpected end of JSON input"
      : `invalid character '${first}' looking for beginning of value`;
  }
}

const autogeneratedText =
  "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.";

/** Tokens that a controller of before 1.24 made. */
function secretWarnings(annotations: Readonly<Record<string, string>> | undefined): string[] {
  return annotations?.["kubernetes.io/legacy-token-invalid-since"] === undefined
    ? []
    : [autogeneratedText];
}
