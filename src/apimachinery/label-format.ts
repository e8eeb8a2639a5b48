/**
 * What label keys and values may look like, in upstream's words. Each function returns the
 * findings, none when the text is well formed.
 * Source: k8s.io/apimachinery/pkg/api/validate/content/{kube,dns,errors}.go.
 */

export const labelNameBytesMax = 63;
export const labelValueBytesMax = 63;
export const dnsSubdomainBytesMax = 253;

const labelNameFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const labelNameRule =
  "must consist of alphanumeric characters, '-', '_' or '.', " +
  "and must start and end with an alphanumeric character";
const labelValueFormat = `(${labelNameFormat})?`;
const dnsLabelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const dnsSubdomainFormat = `${dnsLabelFormat}(\\.${dnsLabelFormat})*`;
const dnsSubdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
  "and must start and end with an alphanumeric character";

const labelName = new RegExp(`^${labelNameFormat}$`);
const labelValue = new RegExp(`^${labelValueFormat}$`);
const dnsSubdomain = new RegExp(`^${dnsSubdomainFormat}$`);

/** A label key: `name` or `dns.subdomain/name` (upstream: qualified name). */
export function labelKeyErrors(key: string): string[] {
  const parts = key.split("/");
  const nameRule = formatError(labelNameRule, labelNameFormat, ["MyName", "my.name", "123-abc"]);
  if (parts.length > 2) {
    const prefixRule = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    return [`a valid label key ${nameRule} ${prefixRule}`];
  }
  const errors: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    const found = prefix === "" ? ["must be non-empty"] : dnsSubdomainErrors(prefix);
    errors.push(...found.map((error) => `prefix part ${error}`));
  }
  const name = parts.at(-1) ?? "";
  if (name === "") errors.push("name part must be non-empty");
  else if (Buffer.byteLength(name) > labelNameBytesMax) {
    errors.push(`name part ${lengthError(labelNameBytesMax)}`);
  }
  if (!labelName.test(name)) errors.push(`name part ${nameRule}`);
  return errors;
}

export function labelValueErrors(value: string): string[] {
  const errors: string[] = [];
  if (Buffer.byteLength(value) > labelValueBytesMax) errors.push(lengthError(labelValueBytesMax));
  if (!labelValue.test(value)) {
    const rule = `a valid label must be an empty string or ${labelNameRule.slice("must ".length)}`;
    errors.push(formatError(rule, labelValueFormat, ["MyValue", "my_value", "12345"]));
  }
  return errors;
}

/** RFC 1123 names such as `example.com`. */
export function dnsSubdomainErrors(name: string): string[] {
  const errors: string[] = [];
  if (Buffer.byteLength(name) > dnsSubdomainBytesMax) errors.push(lengthError(dnsSubdomainBytesMax));
  if (!dnsSubdomain.test(name)) {
    errors.push(formatError(dnsSubdomainRule, dnsSubdomainFormat, ["example.com"]));
  }
  return errors;
}

export function lengthError(bytesMax: number): string {
  return `must be no more than ${bytesMax} bytes`;
}

/** The rule, examples and the regular expression as upstream strings them together. */
export function formatError(rule: string, format: string, examples: readonly string[]): string {
  const pattern = `regex used for validation is '${format}')`;
  if (examples.length === 0) return `${rule} (${pattern}`;
  return `${rule} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}${pattern}`;
}
