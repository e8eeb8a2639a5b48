import { TimeError, parseTime } from "../go-time.ts";
import { parseDuration } from "../go-duration.ts";
import { checkDnsLabel, checkDnsSubdomain } from "../validation/names.ts";
import { parseCidr, parseIp } from "../validation/ip.ts";
import type { Structural } from "./structural.ts";

/**
 * The formats that schemas may demand; all others mean nothing.
 * Source: apiextensions-apiserver pkg/apiserver/validation/formats.go, kube-openapi pkg/validation/strfmt.
 */
const checks: ReadonlyMap<string, (text: string) => boolean> = new Map(
  Object.entries({
    bsonobjectid: (text: string) => /^[0-9a-fA-F]{24}$/.test(text),
    uri: isRequestUri,
    email: isEmail,
    hostname: isHostname,
    // As upstream, which looks at the text: `::ffff:1.2.3.4` is both.
    ipv4: (text: string) => text.includes(".") && parseIp(text) !== undefined,
    ipv6: (text: string) => text.includes(":") && parseIp(text) !== undefined,
    cidr: (text: string) => parseCidr(text) !== undefined,
    mac: isMac,
    uuid: uuid("[0-9a-f]{4}", "[0-9a-f]{4}"),
    uuid3: uuid("3[0-9a-f]{3}", "[0-9a-f]{4}"),
    uuid4: uuid("4[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
    uuid5: uuid("5[0-9a-f]{3}", "[89ab][0-9a-f]{3}"),
    isbn: (text: string) => isIsbn10(text) || isIsbn13(text),
    isbn10: isIsbn10,
    isbn13: isIsbn13,
    creditcard: isCreditCard,
    ssn: (text: string) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text),
    hexcolor: (text: string) => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(text),
    rgbcolor: isRgbColor,
    byte: (text: string) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
    password: () => true,
    date: isDate,
    duration: isDuration,
    datetime: isDateTime,
    k8sshortname: (text: string) => checkDnsLabel(text).length === 0,
    k8slongname: (text: string) => checkDnsSubdomain(text).length === 0,
  }),
);

/** Formats are compared without dashes. */
function normalize(format: string): string {
  return format.replaceAll("-", "");
}

/** Whether text has a format; any text has an unknown one. */
export function hasFormat(format: string, text: string): boolean {
  return checks.get(normalize(format))?.(text) ?? true;
}

/** Whether the format of a schema is one that is checked. */
export function isKnownFormat({ type = "", format = "", ...schema }: Structural): boolean {
  if (format === "") return true;
  if (schema["x-kubernetes-int-or-string"] === true) return false;
  if (type === "" || type === "string") return checks.has(normalize(format));
  if (type === "integer") return format === "int32" || format === "int64";
  return type === "number" && (format === "float" || format === "double");
}

function uuid(third: string, fourth: string): (text: string) => boolean {
  const pattern = new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${third}-?${fourth}-?[0-9a-f]{12}$`, "i");
  return (text) => pattern.test(text);
}

/** Go's url.ParseRequestURI: an absolute URI or an absolute path. */
function isRequestUri(text: string): boolean {
  if (text === "" || /[\x00-\x1f\x7f]/.test(text) || /%(?![0-9a-fA-F]{2})/.test(text)) return false;
  if (text.startsWith("/")) return true;
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(text);
  if (match === null) return false;
  const rest = match[2] ?? "";
  if (!rest.startsWith("//")) return true;
  const authority = rest.slice(2).split(/[/?#]/)[0] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host.startsWith("[")) return /^\[[^\]]*\](?::\d*)?$/.test(host);
  return /^[^\s"<>\\^`{|}]*?(?::\d*)?$/.test(host) && host.split(":").length <= 2;
}

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]+";
const local = `(?:${atom}(?:\\.${atom})*|"(?:[^"\\\\]|\\\\.)*")`;
const address = `${local}@(?:${atom}(?:\\.${atom})*|\\[[^\\]]*\\])`;
const emailPattern = new RegExp(`^\\s*(?:${address}|[^<>@]*<${address}>)\\s*$`);

/** Go's mail.ParseAddress, in the forms that people write. */
function isEmail(text: string): boolean {
  return emailPattern.test(text);
}

function isHostname(text: string): boolean {
  if (text.length > 255) return false;
  const label = "[a-zA-Z0-9\\p{L}](?:[a-zA-Z0-9\\p{L}-]{0,61}[a-zA-Z0-9\\p{L}])?";
  return new RegExp(`^(?:${label})(?:\\.${label})*\\.?$`, "u").test(text);
}

/** Go's net.ParseMAC: 6, 8 or 20 bytes. */
function isMac(text: string): boolean {
  const pairs = /^[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2}(?:\1[0-9a-fA-F]{2})*)$/.test(text);
  if (pairs) return [6, 8, 20].includes((text.length + 1) / 3);
  const quads = /^[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4})+$/.test(text);
  return quads && [3, 4, 10].includes((text.length + 1) / 5);
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!/^[0-9]{9}[0-9X]$/.test(digits)) return false;
  const values = [...digits].map((digit) => (digit === "X" ? 10 : Number(digit)));
  return values.reduce((sum, value, i) => sum + (10 - i) * value, 0) % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!/^[0-9]{13}$/.test(digits)) return false;
  return [...digits].reduce((sum, digit, i) => sum + Number(digit) * (i % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

const cardPatterns = [
  /^4[0-9]{12}(?:[0-9]{3})?$/,
  /^5[1-5][0-9]{14}$/,
  /^6(?:011|5[0-9][0-9])[0-9]{12}$/,
  /^3[47][0-9]{13}$/,
  /^3(?:0[0-5]|[68][0-9])[0-9]{11}$/,
  /^(?:2131|1800|35\d{3})\d{11}$/,
];

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, "");
  if (!cardPatterns.some((pattern) => pattern.test(digits))) return false;
  const values = [...digits].reverse().map((digit, i) => {
    const doubled = Number(digit) * (i % 2 === 0 ? 1 : 2);
    return doubled > 9 ? doubled - 9 : doubled;
  });
  return values.reduce((sum, value) => sum + value, 0) % 10 === 0;
}

function isRgbColor(text: string): boolean {
  const match = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text);
  return match !== null && match.slice(1).every((part) => Number(part) <= 255);
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && isTime(`${text}T00:00:00Z`);
}

/** RFC 3339, with a colon in the zone or without, and a blank for `T`. */
function isDateTime(text: string): boolean {
  if (text.length < 4) return false;
  const match = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d(?:\.\d+)?)([Zz]|[+-]\d\d:?\d\d)$/.exec(text);
  if (match === null) return false;
  const [, date, time, zone = ""] = match;
  const colon = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  return isTime(`${date}T${time}${colon}`);
}

function isTime(text: string): boolean {
  try {
    parseTime(text);
    return true;
  } catch (error) {
    if (error instanceof TimeError) return false;
    throw error;
  }
}

const scalaUnits = [
  "ns nano nanos nanosecond nanoseconds us µs micro micros microsecond microseconds",
  "ms milli millis millisecond milliseconds s sec secs second seconds",
  "m min mins minute minutes h hr hour hours d day days w week weeks",
]
  .join(" ")
  .replaceAll(" ", "|");
const scalaDuration = new RegExp(`^\\s*-?\\d+(?:\\.\\d+)?\\s*(?:${scalaUnits})\\s*$`, "i");

function isDuration(text: string): boolean {
  try {
    parseDuration(text);
    return true;
  } catch {
    return scalaDuration.test(text);
  }
}
