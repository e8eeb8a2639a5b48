import { defineLibrary } from "../declaration.ts";
import { objectType, type CelType } from "../types.ts";
import { ArrayList, CelError, CelOpaque, ValueMap, type CelValue } from "../value.ts";
import {
  decodeBytes,
  escapedPath,
  hostname,
  parseGoUrl,
  port,
  queryParameters,
  UrlParseError,
  type GoUrl,
} from "./go-url.ts";

export const urlType: CelType = objectType("kubernetes.URL");

export class UrlValue extends CelOpaque {
  readonly url: GoUrl;

  constructor(url: GoUrl) {
    super();
    this.url = url;
  }

  get type(): CelType {
    return urlType;
  }

  equals(other: CelValue): boolean {
    return other instanceof UrlValue && canonical(this.url) === canonical(other.url);
  }
}

function canonical(url: GoUrl): string {
  const { scheme, opaque, userinfo, host, rawQuery, fragment } = url;
  return JSON.stringify([scheme, opaque, userinfo, host, escapedPath(url), rawQuery, fragment]);
}

function parse(text: string): UrlValue {
  try {
    parseGoUrl(text, true);
    return new UrlValue(parseGoUrl(text, false));
  } catch (thrown) {
    if (!(thrown instanceof UrlParseError)) throw thrown;
    throw new CelError(`URL parse error during conversion from string: ${thrown.message}`);
  }
}

/** Why text is no URI, or undefined. */
export function urlError(text: string): string | undefined {
  try {
    parseGoUrl(text, true);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof UrlParseError) return thrown.message;
    throw thrown;
  }
}

function query({ url }: UrlValue): ValueMap {
  const entries = [...queryParameters(url)];
  return new ValueMap(entries.map(([name, values]) => [name, new ArrayList(values)]));
}

/** Source: pkg/cel/library/urls.go. */
export const urlLibrary = defineLibrary({
  name: "kubernetes.urls",
  types: [urlType],
  rows: [
    ["string_to_url", "url(string) -> kubernetes.URL", parse],
    ["url_get_scheme", "(kubernetes.URL).getScheme() -> string", ({ url }: UrlValue) => url.scheme],
    [
      "url_get_host",
      "(kubernetes.URL).getHost() -> string",
      ({ url }: UrlValue) => decodeBytes(url.host),
    ],
    [
      "url_get_hostname",
      "(kubernetes.URL).getHostname() -> string",
      ({ url }: UrlValue) => decodeBytes(hostname(url)),
    ],
    ["url_get_port", "(kubernetes.URL).getPort() -> string", ({ url }: UrlValue) => port(url)],
    [
      "url_get_escaped_path",
      "(kubernetes.URL).getEscapedPath() -> string",
      ({ url }: UrlValue) => escapedPath(url),
    ],
    ["url_get_query", "(kubernetes.URL).getQuery() -> map(string, list(string))", query],
    ["is_url_string", "isURL(string) -> bool", (text: string) => urlError(text) === undefined],
  ],
});
