import { validateSignerName } from "#api/core/v1/signer-name.ts";
import { rfc3339 } from "#base/clock.ts";
import { duplicate, forbidden, invalid, notSupported, required } from "#apimachinery/field-error.ts";
import type { Strategy, SubresourceDefinition } from "#apimachinery/resource.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "./certificate-signing-request.ts";

/** Source: pkg/registry/certificates/certificates/strategy.go and pkg/apis/certificates/validation. */
const expirationSecondsMin = 600;
const usages = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

export const certificateSigningRequestStrategy: Strategy<CertificateSigningRequest> = {
  prepareForCreate(request, { userName, user }) {
    request.status = {};
    const { spec } = request;
    spec.username = userName;
    spec.uid = user?.uid ?? "";
    spec.groups = [...(user?.groups ?? [])];
    const extra = Object.entries(user?.extra ?? {}).map(([key, values]) => [key, [...values]]);
    spec.extra = Object.fromEntries(extra) as Record<string, string[]>;
  },
  prepareForUpdate(request, { old }) {
    request.spec = old.spec;
    request.status = old.status;
  },
  validate: (request) => [...validateRequest(request)],
};

function* validateRequest({ spec }: CertificateSigningRequest): Findings {
  const { expirationSeconds: seconds, usages: own = [] } = spec;
  const pem = Buffer.from(spec.request, "base64").toString("utf8");
  if (!/-----BEGIN CERTIFICATE REQUEST-----\s[\s\S]+-----END CERTIFICATE REQUEST-----/.test(pem)) {
    yield invalid("spec.request", spec.request || null, "PEM block type must be CERTIFICATE REQUEST");
  }
  if (own.length === 0) yield required("spec.usages", "");
  for (const [i, usage] of own.entries()) {
    if (!usages.includes(usage)) yield notSupported(`spec.usages[${i}]`, usage, usages);
    if (own.indexOf(usage) < i) yield duplicate(`spec.usages[${i}]`, usage);
  }
  if (spec.signerName === "") yield required("spec.signerName", "");
  else yield* validateSignerName(spec.signerName, "spec.signerName");
  if (seconds !== undefined && seconds < expirationSecondsMin) {
    const detail = `may not specify a duration less than ${expirationSecondsMin} seconds (10 minutes)`;
    yield invalid("spec.expirationSeconds", seconds, detail);
  }
}

type Conditions = readonly CertificateSigningRequestCondition[];

const decisions = ["Approved", "Denied"];
/** Conditions that say what became of a request: they come once, and stay. */
const lasting = [...decisions, "Failed"];

function conditionsOf({ status }: CertificateSigningRequest): Conditions {
  return status?.conditions ?? [];
}

/** Conditions tell when they came, and when they changed. */
function withTimes(conditions: Conditions, old: Conditions, nowMs: number): CertificateSigningRequestCondition[] {
  const now = rfc3339(nowMs);
  return conditions.map((condition) => {
    const before = old.find(({ type, status }) => type === condition.type && status === condition.status);
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? before?.lastTransitionTime ?? now,
    };
  });
}

/** `conditions` with those of one type as they were; others than before are left for validation. */
function keepingType(conditions: Conditions, old: Conditions, type: string): Conditions {
  const before = old.filter((condition) => condition.type === type);
  if (conditions.filter((condition) => condition.type === type).length !== before.length) return conditions;
  let kept = 0;
  return conditions.map((condition) => (condition.type === type ? (before[kept++] ?? condition) : condition));
}

function* validateConditions(request: CertificateSigningRequest): Findings {
  const conditions = conditionsOf(request);
  for (const [i, { type, status: value }] of conditions.entries()) {
    const path = `status.conditions[${i}]`;
    if (type === "") yield required(`${path}.type`, "");
    if (lasting.includes(type) && value !== "True") yield notSupported(`${path}.status`, value, ["True"]);
    const isRepeated = conditions.slice(0, i).some((other) => other.type === type);
    if (isRepeated) yield duplicate(`${path}.type`, type);
  }
  const decided = conditions.filter(({ type }) => decisions.includes(type)).map(({ type }) => type);
  if (new Set(decided).size > 1) {
    const detail = "Approved and Denied conditions are mutually exclusive";
    yield invalid("status.conditions", decided[1] ?? "", detail);
  }
}

/** `decides`: the writer may add what is decided. */
function* validateConditionsUpdate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  decides: boolean,
): Findings {
  yield* validateConditions(request);
  for (const type of lasting) {
    const [now, before] = [request, old].map((one) => conditionsOf(one).filter((condition) => condition.type === type).length);
    const path = "status.conditions";
    if ((now ?? 0) < (before ?? 0)) yield forbidden(path, `updates may not remove a condition of type "${type}"`);
    else if (!decides && decisions.includes(type) && now !== before) {
      yield forbidden(path, `updates may not add a condition of type "${type}"`);
    }
  }
}

function* validateCertificate({ status }: CertificateSigningRequest, old: CertificateSigningRequest): Findings {
  const path = "status.certificate";
  const now = status?.certificate ?? "";
  const before = old.status?.certificate ?? "";
  if (now === before) return;
  if (before !== "") yield forbidden(path, "updates may not modify existing certificate content");
  const pem = Buffer.from(now, "base64").toString("latin1");
  const types = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\s[^-]*-----END \1-----/g)].map(([, type = ""]) => type);
  const other = types.find((type) => type !== "CERTIFICATE");
  if (other !== undefined) {
    yield invalid(path, "<certificate data>", `only CERTIFICATE PEM blocks are allowed, found "${other}"`);
  } else if (types.length === 0 && now !== "") {
    yield invalid(path, "<certificate data>", "must contain at least one CERTIFICATE PEM block");
  }
}

/** Approvers change conditions and nothing else. */
export const approvalSubresource: SubresourceDefinition<CertificateSigningRequest> = {
  verbs: ["get", "patch", "update"],
  strategy: {
    prepareForUpdate(request, { old, nowMs }) {
      const conditions = withTimes(conditionsOf(request), conditionsOf(old), nowMs);
      request.spec = old.spec;
      request.status = { ...old.status, conditions };
    },
    validateUpdate: (request, { old }) => [...validateConditionsUpdate(request, old, true)],
    resetFields: ["spec", "status.certificate"],
  },
};

/** Signers neither approve nor deny. */
export const signingSubresource: SubresourceDefinition<CertificateSigningRequest> = {
  verbs: ["get", "patch", "update"],
  strategy: {
    prepareForUpdate(request, { old, nowMs }) {
      request.spec = old.spec;
      const before = conditionsOf(old);
      const conditions = decisions.reduce((kept, type) => keepingType(kept, before, type), conditionsOf(request));
      request.status = { ...request.status, conditions: withTimes(conditions, before, nowMs) };
    },
    validateUpdate: (request, { old }) => [
      ...validateConditionsUpdate(request, old, false),
      ...validateCertificate(request, old),
    ],
  },
};

/** `Approved,Issued`, `Pending`. */
export function conditionText({ status }: CertificateSigningRequest): string {
  const has = (wanted: string): boolean =>
    (status?.conditions ?? []).some(({ type }) => type === wanted);
  const decision = decisions.find(has) ?? "Pending";
  const failed = has("Failed") ? ",Failed" : "";
  return `${decision}${failed}${status?.certificate ? ",Issued" : ""}`;
}
