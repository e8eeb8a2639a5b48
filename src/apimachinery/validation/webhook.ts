import { invalid, required } from "../field-error.ts";
import { type Findings, invalidTexts } from "./checks.ts";
import { checkDns1035Label, checkDnsSubdomain } from "./names.ts";
import { checkPortNumber } from "./ports.ts";

/** How the API server calls webhooks. Source: apiserver/pkg/util/webhook/validation.go. */
interface ClientConfig {
  readonly url?: string | undefined;
  readonly service?: Service | undefined;
}

interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly path?: string | undefined;
  readonly port?: number | undefined;
}

/** Review versions that this API server speaks. */
export const reviewVersions = ["v1", "v1beta1"];

export function* validateClientConfig({ url, service }: ClientConfig, path: string): Findings {
  if ((url === undefined) === (service === undefined)) {
    yield required(path, "exactly one of url or service is required");
  } else if (url !== undefined) {
    yield* validateUrl(url, `${path}.url`);
  } else if (service !== undefined) {
    yield* validateService(service, `${path}.service`);
  }
}

const form = "; desired format: https://host[/path]";

function* validateUrl(text: string, path: string): Findings {
  const parts =
    /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(text);
  if (parts === null) {
    const fault = text.startsWith(":")
      ? `parse ${JSON.stringify(text)}: missing protocol scheme`
      : "";
    if (fault !== "") {
      yield required(path, `url must be a valid URL: ${fault}${form}`);
      return;
    }
  }
  const [, scheme = "", authority = "", , query = "", fragment = ""] = parts ?? [];
  const at = authority.lastIndexOf("@");
  if (scheme !== "https") {
    yield invalid(path, scheme, `'https' is the only allowed URL scheme${form}`);
  }
  if (authority.slice(at + 1) === "") yield invalid(path, "", `host must be specified${form}`);
  if (at >= 0) {
    yield invalid(path, authority.slice(0, at), "user information is not permitted in the URL");
  }
  if (fragment !== "") yield invalid(path, fragment, "fragments are not permitted in the URL");
  if (query !== "") yield invalid(path, query, "query parameters are not permitted in the URL");
}

function* validateService(
  { namespace, name, path: url, port = 0 }: Service,
  path: string,
): Findings {
  if (name === "") yield required(`${path}.name`, "");
  if (namespace === "") yield required(`${path}.namespace`, "");
  const texts = checkPortNumber(port);
  if (texts.length > 0)
    yield invalid(`${path}.port`, port, `port is not valid: ${texts.join(", ")}`);
  if (url !== undefined && url !== "" && url !== "/") yield* validatePath(url, `${path}.path`);
}

function* validatePath(url: string, path: string): Findings {
  if (url === "//") {
    yield invalid(path, url, "segment[0] may not be empty");
    return;
  }
  if (!url.startsWith("/")) yield invalid(path, url, "must start with a '/'");
  const segments = url.slice(1).replace(/\/$/, "").split("/");
  for (const [i, segment] of segments.entries()) {
    if (segment === "") yield invalid(path, url, `segment[${i}] may not be empty`);
    else
      yield* invalidTexts(
        path,
        url,
        checkDnsSubdomain(segment).map((text) => `segment[${i}]: ${text}`),
      );
  }
}

/** The versions of reviews that a webhook takes: one of ours must be among them. */
export function* validateReviewVersions(
  versions: readonly string[],
  path: string,
  missingDetail: string,
): Findings {
  if (versions.length === 0) {
    yield required(path, missingDetail);
    return;
  }
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) yield invalid(`${path}[${i}]`, version, "duplicate version");
    else yield* invalidTexts(`${path}[${i}]`, version, checkDns1035Label(version));
  }
  if (!versions.some((version) => reviewVersions.includes(version))) {
    const detail = `must include at least one of ${reviewVersions.join(", ")}`;
    yield invalid(path, versions, detail);
  }
}
