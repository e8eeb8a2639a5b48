import type { NameRule } from "../resource.ts";

/**
 * Syntax of names, labels and identifiers. Each check returns upstream's texts, none when valid.
 * Source: k8s.io/apimachinery/pkg/api/validate/content.
 */
export const labelMax = 63;
export const subdomainMax = 253;

const labelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const label1035Format = "[a-z]([-a-z0-9]*[a-z0-9])?";
const keyFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const valueFormat = `(${keyFormat})?`;

const labelPattern = new RegExp(`^${labelFormat}$`);
const subdomainPattern = new RegExp(`^${subdomainFormat}$`);
const label1035Pattern = new RegExp(`^${label1035Format}$`);
const keyPattern = new RegExp(`^${keyFormat}$`);
const valuePattern = new RegExp(`^${valueFormat}$`);

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
  "and must start and end with an alphanumeric character";
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
  "and must start and end with an alphanumeric character";
const label1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', " +
  "start with an alphabetic character, and end with an alphanumeric character";
const keyText =
  "must consist of alphanumeric characters, '-', '_' or '.', " +
  "and must start and end with an alphanumeric character";
const valueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', " +
  "and must start and end with an alphanumeric character";

/** `msg (e.g. 'a',  or 'b', regex used for validation is '...')`, upstream's odd commas and all. */
export function regexText(message: string, format: string, examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`;
  const shown = examples.map((example) => `'${example}', `).join(" or ");
  return `${message} (e.g. ${shown}regex used for validation is '${format}')`;
}

/** Labels and their like count bytes, names count what upstream still calls characters. */
export function lengthText(lengthMax: number, unit: "bytes" | "characters" = "bytes"): string {
  return `must be no more than ${lengthMax} ${unit}`;
}

export const emptyText = "must be non-empty";

function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

export function checkDnsLabel(value: string): string[] {
  const errors = byteLength(value) > labelMax ? [lengthText(labelMax, "characters")] : [];
  if (labelPattern.test(value)) return errors;
  if (subdomainPattern.test(value)) return [...errors, "must not contain dots"];
  return [...errors, regexText(labelText, labelFormat, ["my-name", "123-abc"])];
}

export function checkDns1035Label(value: string): string[] {
  const errors = byteLength(value) > labelMax ? [lengthText(labelMax, "characters")] : [];
  if (label1035Pattern.test(value)) return errors;
  return [...errors, regexText(label1035Text, label1035Format, ["my-name", "abc-123"])];
}

export function checkDnsSubdomain(
  value: string,
  unit: "bytes" | "characters" = "characters",
): string[] {
  const errors = byteLength(value) > subdomainMax ? [lengthText(subdomainMax, unit)] : [];
  if (subdomainPattern.test(value)) return errors;
  return [...errors, regexText(subdomainText, subdomainFormat, ["example.com"])];
}

const keyExamples = ["MyName", "my.name", "123-abc"];

/** A label key, annotation key or finalizer: `[prefix/]name`. */
export function checkQualifiedName(value: string): string[] {
  const parts = value.split("/");
  if (parts.length > 2) {
    const text = regexText(keyText, keyFormat, keyExamples);
    return [
      `a valid label key ${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? "";
  const errors: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    const found = prefix === "" ? [emptyText] : checkDnsSubdomain(prefix, "bytes");
    errors.push(...found.map((text) => `prefix part ${text}`));
  }
  if (name === "") errors.push(`name part ${emptyText}`);
  else if (byteLength(name) > labelMax) errors.push(`name part ${lengthText(labelMax)}`);
  if (!keyPattern.test(name))
    errors.push(`name part ${regexText(keyText, keyFormat, keyExamples)}`);
  return errors;
}

export function checkLabelValue(value: string): string[] {
  const errors = byteLength(value) > labelMax ? [lengthText(labelMax)] : [];
  if (valuePattern.test(value)) return errors;
  return [...errors, regexText(valueText, valueFormat, ["MyValue", "my_value", "12345"])];
}

/** What may stand in a URL path as one segment. */
export function checkPathSegment(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return checkPathSegmentPrefix(name);
}

function checkPathSegmentPrefix(name: string): string[] {
  return ["/", "%"]
    .filter((part) => name.includes(part))
    .map((part) => `may not contain '${part}'`);
}

/**
 * A name, or a `generateName` prefix: a trailing `-` of a prefix is replaced before the check, as
 * the suffix will follow it.
 */
export function checkName(rule: NameRule | undefined, name: string, isPrefix: boolean): string[] {
  if (rule === "path") return isPrefix ? checkPathSegmentPrefix(name) : checkPathSegment(name);
  // Upstream masks two characters, so `a_-` passes as a prefix.
  const checked =
    isPrefix && name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
  if (typeof rule === "function") return rule(checked);
  if (rule === "dnsLabel") return checkDnsLabel(checked);
  if (rule === "dns1035Label") return checkDns1035Label(checked);
  return checkDnsSubdomain(checked);
}
