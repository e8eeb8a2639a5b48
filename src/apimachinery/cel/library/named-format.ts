import { regexCost, sizeForCost, type CostRule } from "../cost-runtime.ts";
import { defineLibrary, type OverloadRow } from "../declaration.ts";
import { parseTimestamp } from "../time.ts";
import { objectType, type CelType } from "../types.ts";
import { ArrayList, CelOpaque, CelOptional, optionalNone, type CelValue } from "../value.ts";
import { urlError } from "./url.ts";

export const namedFormatType: CelType = objectType("kubernetes.NamedFormat");

/** Returns what is wrong with a text, nothing if it is right. */
type Validate = (text: string) => string[];

class NamedFormat extends CelOpaque {
  readonly name: string;
  readonly validate: Validate;
  /** Length of the pattern, or of one that would do; costs go by it. */
  readonly patternSize: number;

  constructor(name: string, patternSize: number, validate: Validate) {
    super();
    this.name = name;
    this.validate = validate;
    this.patternSize = patternSize;
  }

  get type(): CelType {
    return namedFormatType;
  }

  equals(other: CelValue): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }
}

function describe(message: string, pattern: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

function tooLong(text: string, bytesMax: number): string[] {
  if (Buffer.byteLength(text) <= bytesMax) return [];
  return [`must be no more than ${bytesMax} bytes`];
}

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const dns1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const labelKey = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelValue = `(${labelKey})?`;

// These have no nested repetition that could backtrack far; texts are checked for length first.
function whole(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

const patterns = {
  label: whole(label),
  subdomain: whole(subdomain),
  dns1035: whole(dns1035),
  labelKey: whole(labelKey),
  labelValue: whole(labelValue),
};

/** Longest text that a pattern is tried on; anything longer is wrong by length already. */
const patternTextMax = 1024;

function fits(pattern: RegExp, text: string): boolean {
  return text.length <= patternTextMax && pattern.test(text);
}

/** Source: pkg/api/validate/content/dns.go. */
export function dns1123LabelErrors(text: string): string[] {
  const errors = tooLong(text, 63);
  if (fits(patterns.label, text)) return errors;
  if (fits(patterns.subdomain, text)) return [...errors, "must not contain dots"];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...errors, describe(message, label, ["my-name", "123-abc"])];
}

export function dns1123SubdomainErrors(text: string): string[] {
  const errors = tooLong(text, 253);
  if (fits(patterns.subdomain, text)) return errors;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...errors, describe(message, subdomain, ["example.com"])];
}

function dns1035LabelErrors(text: string): string[] {
  const errors = tooLong(text, 63);
  if (fits(patterns.dns1035, text)) return errors;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...errors, describe(message, dns1035, ["my-name", "abc-123"])];
}

const labelKeyMessage =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const labelKeyExamples = ["MyName", "my.name", "123-abc"];

/** Source: pkg/api/validate/content/kube.go. */
function qualifiedNameErrors(text: string): string[] {
  const parts = text.split("/");
  const described = describe(labelKeyMessage, labelKey, labelKeyExamples);
  if (parts.length > 2) {
    return [`a valid label key ${described} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const errors: string[] = [];
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === "") errors.push("prefix part must be non-empty");
  else if (prefix !== undefined) {
    errors.push(...dns1123SubdomainErrors(prefix).map((error) => `prefix part ${error}`));
  }
  if (name === "") errors.push("name part must be non-empty");
  else errors.push(...tooLong(name, 63).map((error) => `name part ${error}`));
  if (!fits(patterns.labelKey, name)) errors.push(`name part ${described}`);
  return errors;
}

function labelValueErrors(text: string): string[] {
  const errors = tooLong(text, 63);
  if (fits(patterns.labelValue, text)) return errors;
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...errors, describe(message, labelValue, ["MyValue", "my_value", "12345"])];
}

/** Names that something will be appended to may end in a dash. */
function asPrefix(validate: Validate): Validate {
  return (text) => {
    const masked = text.length > 1 && text.endsWith("-") ? `${text.slice(0, -2)}a` : text;
    return validate(masked);
  };
}

function when(isRight: (text: string) => boolean, message: string): Validate {
  return (text) => (isRight(text) ? [] : [message]);
}

function isDateTime(text: string): boolean {
  try {
    return parseTimestamp(text.toUpperCase()) !== undefined;
  } catch {
    return false;
  }
}

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** By the name that expressions use. Sizes are upstream's. Source: pkg/cel/library/format.go. */
const formats: Readonly<Record<string, NamedFormat>> = {
  dns1123Label: new NamedFormat("DNS1123Label", 30, dns1123LabelErrors),
  dns1123Subdomain: new NamedFormat("DNS1123Subdomain", 60, dns1123SubdomainErrors),
  dns1035Label: new NamedFormat("DNS1035Label", 30, dns1035LabelErrors),
  qualifiedName: new NamedFormat("QualifiedName", 60, qualifiedNameErrors),
  dns1123LabelPrefix: new NamedFormat("DNS1123LabelPrefix", 30, asPrefix(dns1123LabelErrors)),
  dns1123SubdomainPrefix: new NamedFormat("DNS1123SubdomainPrefix", 60, asPrefix(dns1123SubdomainErrors)),
  dns1035LabelPrefix: new NamedFormat("DNS1035LabelPrefix", 30, asPrefix(dns1035LabelErrors)),
  labelValue: new NamedFormat("LabelValue", 40, labelValueErrors),
  uri: new NamedFormat("URI", 1103, (text) => {
    const error = urlError(text);
    return error === undefined ? [] : [error];
  }),
  uuid: new NamedFormat(
    "uuid",
    123,
    when((t) => uuid.test(t), "does not match the UUID format"),
  ),
  byte: new NamedFormat(
    "byte",
    84,
    when((t) => base64.test(t), "invalid base64"),
  ),
  date: new NamedFormat(
    "date",
    83,
    when((t) => isDateTime(`${t}T00:00:00Z`), "invalid date"),
  ),
  datetime: new NamedFormat("datetime", 83, when(isDateTime, "invalid datetime")),
};

function validate(format: NamedFormat, text: string): CelOptional {
  const errors = format.validate(text);
  return errors.length === 0 ? optionalNone : new CelOptional(new ArrayList(errors));
}

const validateCost: CostRule = {
  kind: "before",
  units: ([format, text]) => {
    return format instanceof NamedFormat ? regexCost(sizeForCost(text), format.patternSize) : 1;
  },
};

function named(name: string): CelOptional {
  return Object.hasOwn(formats, name) ? new CelOptional(formats[name]) : optionalNone;
}

/** Source: pkg/cel/library/format.go. */
export const namedFormatLibrary = defineLibrary({
  name: "kubernetes.format",
  types: [namedFormatType],
  rows: [
    ["format-validate", "(kubernetes.NamedFormat).validate(string) -> optional(list(string))", validate, validateCost],
    ["format-named", "format.named(string) -> optional(kubernetes.NamedFormat)", named],
    ...Object.entries(formats).map(([name, format]): OverloadRow => {
      return [`format.${name}`, `format.${name}() -> kubernetes.NamedFormat`, () => format];
    }),
  ],
});
