/** A URL split as Go's net/url does it. Texts are percent-decoded into bytes, one per character. */
export interface GoUrl {
  readonly scheme: string;
  readonly opaque: string;
  readonly userinfo: string;
  readonly host: string;
  readonly path: string;
  /** The path as written, where that is not how it would be escaped. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly fragment: string;
}

/** Why text is no URL, as Go says it: `parse "x": message`. */
export class UrlParseError extends Error {
  override readonly name = "UrlParseError";
}

/**
 * Reads an absolute URL or an absolute path. `request`: as url.ParseRequestURI, where `#` has no
 * meaning; else as url.Parse. Throws `UrlParseError`.
 */
export function parseGoUrl(text: string, request: boolean): GoUrl {
  const fail = (message: string): never => {
    throw new UrlParseError(`parse ${JSON.stringify(text)}: ${message}`);
  };
  const hash = request ? -1 : text.indexOf("#");
  const fragment = hash === -1 ? "" : text.slice(hash + 1);
  const body = hash === -1 ? text : text.slice(0, hash);
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(body)) fail("net/url: invalid control character in URL");
  if (body === "" && request) fail("empty url");
  const empty = { scheme: "", opaque: "", userinfo: "", host: "", rawPath: "", rawQuery: "" };
  if (body === "*") return { ...empty, path: "*", fragment };
  const { scheme, rest: afterScheme } = splitScheme(body, fail);
  const question = afterScheme.indexOf("?");
  const rawQuery = question === -1 ? "" : afterScheme.slice(question + 1);
  const rest = question === -1 ? afterScheme : afterScheme.slice(0, question);
  const base = { ...empty, scheme, rawQuery, fragment };
  if (!rest.startsWith("/")) {
    if (scheme !== "") return { ...base, opaque: rest, path: "" };
    if (request) fail("invalid URI for request");
    if (rest.split("/")[0]?.includes(":")) fail("first path segment in URL cannot contain colon");
  }
  const hasAuthority =
    rest.startsWith("//") && (scheme !== "" || (!request && !rest.startsWith("///")));
  if (!hasAuthority) return { ...base, ...splitPath(rest, fail) };
  const slash = rest.indexOf("/", 2);
  const authority = slash === -1 ? rest.slice(2) : rest.slice(2, slash);
  const { userinfo, host } = parseAuthority(authority, fail);
  return { ...base, userinfo, host, ...splitPath(slash === -1 ? "" : rest.slice(slash), fail) };
}

type Fail = (message: string) => never;

function splitScheme(text: string, fail: Fail): { scheme: string; rest: string } {
  if (text.startsWith(":")) fail("missing protocol scheme");
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  if (match === null) return { scheme: "", rest: text };
  return { scheme: (match[1] ?? "").toLowerCase(), rest: text.slice(match[0].length) };
}

function parseAuthority(authority: string, fail: Fail): { userinfo: string; host: string } {
  const at = authority.lastIndexOf("@");
  const userinfo = at === -1 ? "" : authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) fail("net/url: invalid userinfo");
  if (at !== -1) unescape(userinfo, { mode: "userinfo", fail });
  return { userinfo, host: parseHost(authority.slice(at + 1), fail) };
}

function parseHost(host: string, fail: Fail): string {
  if (host.startsWith("[")) {
    const close = host.lastIndexOf("]");
    if (close === -1) fail("missing ']' in host");
    checkPort(host.slice(close + 1), fail);
    return unescape(host, { mode: "host", fail });
  }
  const colon = host.lastIndexOf(":");
  if (colon !== -1) checkPort(host.slice(colon), fail);
  return unescape(host, { mode: "host", fail });
}

function checkPort(port: string, fail: Fail): void {
  if (port !== "" && !/^:\d*$/.test(port)) {
    fail(`invalid port ${JSON.stringify(port)} after host`);
  }
}

function splitPath(path: string, fail: Fail): { path: string; rawPath: string } {
  const decoded = unescape(path, { mode: "path", fail });
  return { path: decoded, rawPath: escapePath(decoded) === path ? "" : path };
}

type Mode = "path" | "query" | "host" | "userinfo";

/** Undoes percent escapes; the result has one character per byte. */
function unescape(text: string, { mode, fail }: { mode: Mode; fail: Fail }): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  let out = "";
  for (let i = 0; i < bytes.length; i++) {
    const character = bytes[i] ?? "";
    if (character === "%") {
      const hex = bytes.slice(i + 1, i + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) fail(`invalid URL escape ${JSON.stringify(`%${hex}`)}`);
      const code = Number.parseInt(hex, 16);
      // Hosts escape only bytes beyond ASCII, and zones a percent sign.
      if (mode === "host" && code < 0x80 && hex !== "25") {
        fail(`invalid URL escape ${JSON.stringify(`%${hex}`)}`);
      }
      out += String.fromCharCode(code);
      i += 2;
    } else if (character === "+" && mode === "query") out += " ";
    else if (mode === "host" && character < "\x80" && !hostCharacter.test(character)) {
      fail(`invalid character ${JSON.stringify(character)} in host name`);
    } else out += character;
  }
  return out;
}

const hostCharacter = /[A-Za-z0-9\-._~!$&'()*+,;=:[\]<>"]/;

/** Escapes a decoded path as Go does: `$&+,/:;=@` and unreserved characters stay. */
function escapePath(decoded: string): string {
  return decoded.replace(/[^A-Za-z0-9\-._~$&+,/:;=@]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

export function escapedPath(url: GoUrl): string {
  const valid = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/]|%[0-9A-Fa-f]{2})*$/;
  if (url.rawPath !== "" && valid.test(url.rawPath)) return url.rawPath;
  return url.path === "*" ? "*" : escapePath(url.path);
}

export function hostname({ host }: GoUrl): string {
  const withoutPort = host.replace(/:\d*$/, (port, at: number) => {
    return host.startsWith("[") && !host.slice(0, at).endsWith("]") ? port : "";
  });
  return withoutPort.startsWith("[") ? withoutPort.replace(/^\[|\]$/g, "") : withoutPort;
}

export function port({ host }: GoUrl): string {
  const after = host.startsWith("[") ? host.slice(host.lastIndexOf("]") + 1) : host;
  return /:(\d*)$/.exec(after)?.[1] ?? "";
}

/** Query parameters in order; those with wrong escapes or a semicolon are left out. */
export function queryParameters({ rawQuery }: GoUrl): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  for (const part of rawQuery.split("&")) {
    if (part === "" || part.includes(";")) continue;
    const equals = part.indexOf("=");
    const [key, value] =
      equals === -1 ? [part, ""] : [part.slice(0, equals), part.slice(equals + 1)];
    const name = queryText(key);
    const text = queryText(value);
    if (name === undefined || text === undefined) continue;
    parameters.set(name, [...(parameters.get(name) ?? []), text]);
  }
  return parameters;
}

function queryText(text: string): string | undefined {
  try {
    const fail: Fail = (message) => {
      throw new UrlParseError(message);
    };
    return decodeBytes(unescape(text, { mode: "query", fail }));
  } catch (thrown) {
    if (thrown instanceof UrlParseError) return undefined;
    throw thrown;
  }
}

/** Text of what `unescape` gave. */
export function decodeBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
