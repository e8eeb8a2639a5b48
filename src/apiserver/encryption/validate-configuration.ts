/** Source: apiserver/pkg/apis/apiserver/validation/validation_encryption.go. */
import { type FieldError, invalid, required } from "#apimachinery/field-error.ts";
import { goQuote } from "#apimachinery/field-error.ts";
import {
  type EncryptionConfiguration,
  type KeyConfiguration,
  type KmsConfiguration,
  type ProviderConfiguration,
  timeoutMsOf,
  timeoutTextOf,
} from "./configuration.ts";
import { decodeBase64 } from "./base64.ts";
import { parseGroupResource } from "./group-resource.ts";

const aesKeyBytes = [16, 24, 32];
const secretboxKeyBytes = [32];
/** Kept by allocators, not by storages of an API. */
const withoutApi: ReadonlySet<string> = new Set(["apiserveripinfo", "serviceipallocations", "servicenodeportallocations"]);

/** What is wrong with a configuration, in upstream's order. */
export function validateConfiguration({ resources }: EncryptionConfiguration, reload: boolean): FieldError[] {
  if (resources.length === 0) return [required("resources", "at least one resources is required")];
  const names = new Set<string>();
  return resources.flatMap(({ resources: covered, providers }, i) => {
    const [coveredPath, providersPath] = [`resources[${i}].resources`, `resources[${i}].providers`];
    return [
      ...(covered.length === 0 ? [required(coveredPath, `at least one ${coveredPath} is required`)] : []),
      ...validateOverlap(covered, coveredPath),
      ...covered.flatMap((resource, j) => validateResource(resource, `${coveredPath}[${j}]`)),
      ...(providers.length === 0 ? [required(providersPath, `at least one ${providersPath} is required`)] : []),
      ...providers.flatMap((provider, j) => validateProvider(provider, `${providersPath}[${j}]`, { names, reload })),
    ];
  });
}

function validateOverlap(resources: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (new Set(resources).size < resources.length) {
    errors.push(invalid(path, resources, "the same resource cannot be specified multiple times"));
  }
  const parsed = [...new Set(resources)].map(parseGroupResource);
  const overlaps = parsed.some(({ group, resource }, i) =>
    parsed.some((other, j) => {
      if (i === j) return false;
      if (group === "*" && resource === "*") return true;
      return group === other.group && (resource === "*" || other.resource === "*");
    }),
  );
  if (overlaps) {
    const detail = "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";
    errors.push(invalid(path, resources, detail));
  }
  return errors;
}

function validateResource(text: string, path: string): FieldError[] {
  const problem = resourceProblem(text);
  return problem === undefined ? [] : [invalid(path, text, problem)];
}

function resourceProblem(text: string): string | undefined {
  if (text.toLowerCase() !== text) return "resource name should not contain capital letters";
  if (text === "*") return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
  if (withoutApi.has(text)) return "resources which do not have REST API/s cannot be encrypted";
  const { group, resource } = parseGroupResource(text);
  if (group === "events.k8s.io") {
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
  }
  if (group === "extensions") return "'extensions' group has been removed and cannot be used for encryption";
  if (group === "*" && resource !== "*") return "encrypting the same resource across groups is not supported";
  return undefined;
}

interface KmsContext {
  /** Those of the providers before. */
  readonly names: Set<string>;
  readonly reload: boolean;
}

function validateProvider(provider: ProviderConfiguration, path: string, context: KmsContext): FieldError[] {
  const { kms, aesgcm, aescbc, secretbox, identity } = provider;
  const count = [kms, aesgcm, aescbc, secretbox, identity].filter((kind) => kind !== undefined).length;
  if (count === 0) {
    const detail = "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity";
    return [invalid(path, shownProvider(provider), detail)];
  }
  const errors: FieldError[] = [];
  if (count > 1) {
    const detail = "more than one provider specified in a single element, should split into different list elements";
    errors.push(invalid(path, shownProvider(provider), detail));
  }
  if (kms !== undefined) {
    errors.push(...validateKms(kms, `${path}.kms`, context));
    context.names.add(kms.name);
  } else if (aesgcm !== undefined) errors.push(...validateKeys(aesgcm.keys, `${path}.aesgcm.keys`, aesKeyBytes));
  else if (aescbc !== undefined) errors.push(...validateKeys(aescbc.keys, `${path}.aescbc.keys`, aesKeyBytes));
  else if (secretbox !== undefined) errors.push(...validateKeys(secretbox.keys, `${path}.secretbox.keys`, secretboxKeyBytes));
  return errors;
}

/** As Go shows it, but without the secrets. */
function shownProvider({ aesgcm, aescbc, secretbox, identity, kms }: ProviderConfiguration): unknown {
  const shownKeys = (of: { readonly keys: readonly KeyConfiguration[] } | undefined): unknown =>
    of === undefined ? null : { Keys: of.keys.map((key) => ({ Name: key.name, Secret: "REDACTED" })) };
  return {
    AESGCM: shownKeys(aesgcm),
    AESCBC: shownKeys(aescbc),
    Secretbox: shownKeys(secretbox),
    Identity: identity === undefined ? null : {},
    KMS: kms === undefined ? null : shownKms(kms),
  };
}

function shownKms(kms: KmsConfiguration): unknown {
  return {
    APIVersion: kms.apiVersion,
    Name: kms.name,
    CacheSize: kms.cachesize ?? null,
    Endpoint: kms.endpoint,
    Timeout: timeoutTextOf(kms),
  };
}

function validateKeys(keys: readonly KeyConfiguration[], path: string, lengths: readonly number[]): FieldError[] {
  if (keys.length === 0) return [required(path, "at least one keys is required")];
  return keys.flatMap((key, i) => validateKey(key, `${path}[${i}]`, lengths));
}

function validateKey({ name, secret }: KeyConfiguration, path: string, lengths: readonly number[]): FieldError[] {
  const errors = name === "" ? [required(`${path}.name`, "name is a mandatory field for a key")] : [];
  if (secret === "") return [...errors, required(`${path}.secret`, "secret is a mandatory field for a key")];
  const bytes = decodeBase64(secret);
  if (bytes === undefined) return [...errors, invalid(`${path}.secret`, "REDACTED", "secrets must be base64 encoded")];
  if (lengths.includes(bytes.length)) return errors;
  const detail = `secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(" ")}]`;
  return [...errors, invalid(`${path}.secret`, "REDACTED", detail)];
}

function validateKms(kms: KmsConfiguration, path: string, context: KmsContext): FieldError[] {
  const { apiVersion, cachesize } = kms;
  const errors = validateKmsName(kms, `${path}.name`, context);
  if (timeoutMsOf(kms) <= 0) {
    errors.push(invalid(`${path}.timeout`, timeoutTextOf(kms), "timeout should be a positive value"));
  }
  errors.push(...validateEndpoint(kms.endpoint, `${path}.endpoint`));
  if (apiVersion !== "v1" && cachesize !== undefined) {
    errors.push(invalid(`${path}.cachesize`, cachesize, "cachesize is not supported in v2"));
  }
  if (apiVersion === "v1" && cachesize === 0) {
    errors.push(invalid(`${path}.cachesize`, cachesize, "cachesize should be a positive value, or negative to disable"));
  }
  if (apiVersion !== "v1" && apiVersion !== "v2") {
    const detail = "unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported";
    errors.push(invalid(`${path}.apiVersion`, apiVersion, detail));
  }
  return errors;
}

function validateKmsName({ name, apiVersion }: KmsConfiguration, path: string, { names, reload }: KmsContext): FieldError[] {
  const errors = name === "" ? [required(path, "name is a mandatory field for a provider")] : [];
  if (apiVersion !== "v1" && name.includes(":")) {
    errors.push(invalid(path, name, `invalid KMS provider name ${name}, must not contain ':'`));
  }
  if ((reload || apiVersion !== "v1") && names.has(name)) {
    errors.push(invalid(path, name, `duplicate KMS provider name ${name}, names must be unique`));
  }
  return errors;
}

function validateEndpoint(endpoint: string, path: string): FieldError[] {
  if (endpoint === "") return [invalid(path, "", "endpoint is a mandatory field for a kms")];
  if (endpoint.startsWith(":")) {
    const problem = `parse ${goQuote(endpoint)}: missing protocol scheme`;
    return [invalid(path, endpoint, `invalid endpoint for kms provider, error: ${problem}`)];
  }
  const scheme = (/^([A-Za-z][A-Za-z0-9+.-]*):/.exec(endpoint)?.[1] ?? "").toLowerCase();
  if (scheme === "unix") return [];
  return [invalid(path, endpoint, `unsupported scheme ${goQuote(scheme)} for KMS provider, only unix is supported`)];
}
