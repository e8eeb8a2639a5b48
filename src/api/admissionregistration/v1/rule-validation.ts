import { invalid, notSupported, required } from "#apimachinery/field-error.ts";
import { type Findings, validateSupported } from "#apimachinery/validation/checks.ts";
import type { RuleWithOperations } from "./rule.ts";

/** Source: validateRuleWithOperations in pkg/apis/admissionregistration/validation. */
export const allOperations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];

export function* validateRule(
  rule: RuleWithOperations,
  path: string,
  operations: readonly string[] = allOperations,
): Findings {
  const { operations: own = [], apiGroups, apiVersions, resources = [], scope } = rule;
  if (own.length === 0) yield required(`${path}.operations`, "");
  yield* validateStar(own, `${path}.operations`, "operations");
  for (const [i, operation] of own.entries()) {
    if (!operations.includes(operation)) {
      yield notSupported(`${path}.operations[${i}]`, operation, operations);
    }
  }
  yield* validateList(apiGroups, `${path}.apiGroups`, "API groups");
  yield* validateList(apiVersions, `${path}.apiVersions`, "API versions");
  for (const [i, version] of (apiVersions ?? []).entries()) {
    if (version === "") yield required(`${path}.apiVersions[${i}]`, "");
  }
  if (resources.length === 0) yield required(`${path}.resources`, "");
  yield* validateResources(resources, `${path}.resources`);
  yield* validateSupported(scope, scopes, `${path}.scope`);
}

function* validateList(list: readonly string[] | undefined, path: string, what: string): Findings {
  if (list === undefined || list.length === 0) yield required(path, "");
  else yield* validateStar(list, path, what);
}

function* validateStar(list: readonly string[], path: string, what: string): Findings {
  if (list.length > 1 && list.includes("*")) {
    yield invalid(path, list, `if '*' is present, must not specify other ${what}`);
  }
}

/** `resource`, `resource/subresource`, with stars for either. */
function* validateResources(resources: readonly string[], path: string): Findings {
  if (resources.length > 1 && resources.includes("*/*")) {
    yield invalid(path, resources, "if '*/*' is present, must not specify other resources");
  }
  const hasPlainStar = resources.includes("*");
  const starSubresources = new Set<string>();
  const starResources = new Set<string>();
  for (const [i, text] of resources.entries()) {
    const at = `${path}[${i}]`;
    if (text === "") yield required(at, "");
    const [resource = "", subresource] = text.split("/");
    if (subresource === undefined) {
      if (hasPlainStar && text !== "*") {
        const detail = "if '*' is present, must not specify other resources without subresources";
        yield invalid(path, resources, detail);
      }
      continue;
    }
    if (starSubresources.has(resource)) {
      yield invalid(at, text, `if '${resource}/*' is present, must not specify ${text}`);
    }
    if (starResources.has(subresource)) {
      yield invalid(at, text, `if '*/${subresource}' is present, must not specify ${text}`);
    }
    if (subresource === "*") starSubresources.add(resource);
    if (resource === "*") starResources.add(subresource);
  }
}
