import { checkDnsSubdomain, emptyText, lengthText, regexText, subdomainMax } from "./names.ts";

/** Syntax of keys, environment variables and the like. Source: util/validation/validation.go. */
const configKeyPattern = /^[-._a-zA-Z0-9]+$/;
const headerPattern = /^[-A-Za-z0-9]+$/;
const percentPattern = /^[0-9]+%$/;
const underscoreLabel = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const wildcardFormat = `\\*\\.${label}(\\.${label})*`;
const wildcardPattern = new RegExp(`^${wildcardFormat}$`);
const underscoreFormat = `${underscoreLabel}(\\.${underscoreLabel})*`;
const underscorePattern = new RegExp(`^${underscoreFormat}$`);

/** Unix ids: what an int32 holds. */
export const idMax = 2 ** 31 - 1;

/** A key of a ConfigMap or Secret: a file name. */
export function checkConfigMapKey(key: string): string[] {
  const texts =
    Buffer.byteLength(key) > subdomainMax ? [lengthText(subdomainMax, "characters")] : [];
  if (!configKeyPattern.test(key)) {
    const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    texts.push(regexText(rule, "[-._a-zA-Z0-9]+", ["key.name", "KEY_NAME", "key-name"]));
  }
  return [...texts, ...checkDots(key)];
}

function checkDots(key: string): string[] {
  if (key === "." || key === "..") return [`must not be '${key}'`];
  return key.startsWith("..") ? ["must not start with '..'"] : [];
}

/** Printable ASCII but `=`. */
export function checkEnvVarName(name: string): string[] {
  if (name === "") return [`environment variable name ${emptyText}`];
  if (/^[\x20-\x3c\x3e-\x7e]*$/.test(name)) return [];
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

export function checkHttpHeaderName(name: string): string[] {
  if (headerPattern.test(name)) return [];
  const rule = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [regexText(rule, "[-A-Za-z0-9]+", ["X-Header-Name"])];
}

export function checkPercent(text: string): string[] {
  if (percentPattern.test(text)) return [];
  const rule = "a valid percent string must be a numeric string followed by an ending '%'";
  return [regexText(rule, "[0-9]+%", ["1%", "93%"])];
}

/** `*.example.com`. */
export function checkWildcardDnsSubdomain(value: string): string[] {
  const texts =
    Buffer.byteLength(value) > subdomainMax ? [lengthText(subdomainMax, "characters")] : [];
  if (wildcardPattern.test(value)) return texts;
  const rule =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which " +
    "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...texts, regexText(rule, wildcardFormat, ["*.example.com"])];
}

/** Search domains may have underscores. */
export function checkDnsSubdomainWithUnderscore(value: string): string[] {
  const texts =
    Buffer.byteLength(value) > subdomainMax ? [lengthText(subdomainMax, "characters")] : [];
  if (underscorePattern.test(value)) return texts;
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', " +
    "and must start and end with an alphanumeric character";
  return [...texts, regexText(rule, underscoreFormat, ["example.com"])];
}

export function checkUnixId(id: number): string[] {
  return id >= 0 && id <= idMax ? [] : [`must be between 0 and ${idMax}, inclusive`];
}

/** No sign `+`, no leading zeros. */
export function isInt32Text(text: string): boolean {
  return /^(0|-?[1-9]\d*)$/.test(text) && Number(text) === (Number(text) | 0);
}

/** `example.com/name`. */
export function checkDomainPrefixedPath(text: string): string[] {
  if (text === "") return ["name part must be non-empty"];
  const at = text.indexOf("/");
  if (at < 0 || at === text.length - 1 || at === 0) {
    return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  }
  const domain = checkDnsSubdomain(text.slice(0, at));
  if (domain.length > 0) return domain.map((detail) => `domain part ${detail}`);
  const path = text.slice(at + 1);
  if (/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path)) return [];
  return [regexText("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+", ["path/to/resource"])];
}
