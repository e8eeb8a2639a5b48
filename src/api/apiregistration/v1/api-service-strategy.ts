import { rfc3339 } from "#base/clock.ts";
import { goQuote, invalid, required } from "#apimachinery/field-error.ts";
import type { Strategy } from "#apimachinery/resource.ts";
import { type Findings, validateDnsSubdomain } from "#apimachinery/validation/checks.ts";
import { checkDns1035Label } from "#apimachinery/validation/names.ts";
import { checkPortNumber } from "#apimachinery/validation/ports.ts";
import type { APIService } from "./api-service.ts";

/** Source: kube-aggregator/pkg/apis/apiregistration/validation/validation.go. */
const portDefault = 443;
const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;

export const apiServiceStrategy: Strategy<APIService> = {
  nameRule: "path",
  allowUnconditionalUpdate: false,
  plainFinalizers: true,
  default({ spec }) {
    if (spec.service !== undefined) spec.service.port ??= portDefault;
  },
  prepareForCreate(service, { nowMs }) {
    service.status = {};
    if (service.spec.service !== undefined) return;
    const condition = { ...localCondition, lastTransitionTime: rfc3339(nowMs) };
    service.status.conditions = [condition];
  },
  prepareForUpdate(service, { old }) {
    service.status = old.status;
  },
  validate: (service) => [...validateApiService(service)],
  validateUpdate: (service) => [...validateApiService(service)],
};

const localCondition = {
  type: "Available",
  status: "True",
  reason: "Local",
  message: "Local APIServices are always available",
};

function* validateApiService({ metadata: meta, spec }: APIService): Findings {
  const { group = "", version = "" } = spec;
  const wanted = `${version}.${group}`;
  if (meta.name !== wanted) {
    const detail = `must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`;
    yield invalid("metadata.name", meta.name ?? "", detail);
  }
  if (group === "" && version !== "v1") {
    yield required("spec.group", "only v1 may have an empty group and it better be legacy kube");
  }
  if (group !== "") yield* validateDnsSubdomain(group, "spec.group");
  for (const text of checkDns1035Label(version)) yield invalid("spec.version", version, text);
  yield* validatePriority(spec.groupPriorityMinimum, groupPriorityMax, "spec.groupPriorityMinimum");
  yield* validatePriority(spec.versionPriority, versionPriorityMax, "spec.versionPriority");
  yield* validateTarget(spec);
}

function* validatePriority(priority: number, max: number, path: string): Findings {
  if (priority <= 0 || priority > max) {
    yield invalid(path, priority, `must be positive and less than ${max}`);
  }
}

function* validateTarget({
  service,
  caBundle = "",
  insecureSkipTLSVerify,
}: APIService["spec"]): Findings {
  const insecure = insecureSkipTLSVerify === true;
  if (service === undefined) {
    const size = Buffer.from(caBundle, "base64").length;
    if (size > 0) {
      const detail = "local APIServices may not have a caBundle";
      yield invalid("spec.caBundle", `${size} bytes`, detail);
    }
    if (insecure) {
      const detail = "local APIServices may not have insecureSkipTLSVerify";
      yield invalid("spec.insecureSkipTLSVerify", true, detail);
    }
    return;
  }
  const { namespace = "", name = "", port = 0 } = service;
  if (namespace === "") yield required("spec.service.namespace", "");
  if (name === "") yield required("spec.service.name", "");
  const texts = checkPortNumber(port);
  if (texts.length > 0) {
    yield invalid("spec.service.port", port, `port is not valid: ${texts.join(", ")}`);
  }
  if (insecure && caBundle !== "") {
    yield invalid("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present");
  }
}
