/** EncryptionConfiguration of apiserver.config.k8s.io/v1. Source: apiserver/pkg/apis/apiserver/v1/types_encryption.go. */
import { errorMessage } from "#base/error-message.ts";
import { durationMs, formatDuration, parseDuration } from "#apimachinery/go-duration.ts";
import { fieldErrorsText, goQuote } from "#apimachinery/field-error.ts";
import { decodeJson } from "#apimachinery/json-codec.ts";
import { isJsonMap } from "#apimachinery/json-value.ts";
import { duration, type Infer, int32, kind, listOf, opt, ptr, req, string, struct } from "#apimachinery/schema.ts";
import { parseYaml } from "#wire/yaml.ts";
import { validateConfiguration } from "./validate-configuration.ts";

const name = (type: string): string => `io.k8s.apiserver.pkg.apis.apiserver.v1.${type}`;

const KeySchema = struct(name("Key"), { name: req(1, string), secret: req(2, string) });

const KeysSchema = struct(name("AESConfiguration"), { keys: req(1, listOf(KeySchema)) });

const KmsSchema = struct(name("KMSConfiguration"), {
  apiVersion: opt(1, string),
  name: req(2, string),
  cachesize: ptr(3, int32),
  endpoint: req(4, string),
  timeout: ptr(5, duration),
});

const ProviderSchema = struct(name("ProviderConfiguration"), {
  aesgcm: ptr(1, KeysSchema),
  aescbc: ptr(2, KeysSchema),
  secretbox: ptr(3, KeysSchema),
  identity: ptr(4, struct(name("IdentityConfiguration"), {})),
  kms: ptr(5, KmsSchema),
});

const EncryptionConfigurationSchema = kind(name("EncryptionConfiguration"), {
  resources: req(
    1,
    listOf(
      struct(name("ResourceConfiguration"), {
        resources: req(1, listOf(string)),
        providers: req(2, listOf(ProviderSchema)),
      }),
    ),
  ),
});

/** As it was read, defaults filled in. */
export interface EncryptionConfiguration extends Infer<typeof EncryptionConfigurationSchema> {}
export type ResourceConfiguration = EncryptionConfiguration["resources"][number];
export type ProviderConfiguration = Infer<typeof ProviderSchema>;
export type KeyConfiguration = Infer<typeof KeySchema>;
export type KmsConfiguration = Infer<typeof KmsSchema>;

const apiVersion = "apiserver.config.k8s.io/v1";
const configurationKind = "EncryptionConfiguration";
const timeoutDefault = "3s";
const cacheSizeDefault = 1000;
/** How upstream names where it looks kinds up. */
const scheme = "k8s.io/apiserver/pkg/server/options/encryptionconfig/config.go:142";

/**
 * Reads and checks the content of a file. `reload`: whether it may change while the server runs, which asks for
 * more. Errors: upstream's texts.
 */
export function parseEncryptionConfiguration(content: Uint8Array, path: string, reload: boolean): EncryptionConfiguration {
  if (content.length === 0) {
    throw new Error(`error while loading file: encryption provider configuration file ${goQuote(path)} is empty`);
  }
  let configuration: EncryptionConfiguration;
  try {
    configuration = decode(content);
  } catch (error) {
    const problem = errorMessage(error);
    throw new Error(`error decoding encryption provider configuration file ${goQuote(path)}: ${problem}`, { cause: error });
  }
  const errors = validateConfiguration(configuration, reload);
  if (errors.length > 0) throw new Error(fieldErrorsText(errors));
  return configuration;
}

function decode(content: Uint8Array): EncryptionConfiguration {
  const { value, duplicates } = parseYaml(content);
  if (!isJsonMap(value)) throw new Error("couldn't get version/kind; json parse error: the file holds no object");
  // Upstream repeats the whole file here, keys and all.
  if (typeof value["kind"] !== "string" || value["kind"] === "") throw new Error("Object 'Kind' is missing");
  if (typeof value["apiVersion"] !== "string" || value["apiVersion"] === "") throw new Error("Object 'apiVersion' is missing");
  if (value["apiVersion"] !== apiVersion || value["kind"] !== configurationKind) {
    const [shown, version] = [goQuote(value["kind"]), goQuote(value["apiVersion"])];
    throw new Error(`no kind ${shown} is registered for version ${version} in scheme ${goQuote(scheme)}`);
  }
  const { object, findings } = decodeJson<EncryptionConfiguration>(EncryptionConfigurationSchema, value);
  const problems = [...duplicates, ...findings];
  if (problems.length > 0) throw new Error(`strict decoding error: ${problems.join(", ")}`);
  for (const { providers } of object.resources) {
    for (const { kms } of providers) if (kms !== undefined) applyDefaults(kms);
  }
  return object;
}

/** Source: apiserver/pkg/apis/apiserver/v1/defaults.go. */
function applyDefaults(kms: KmsConfiguration): void {
  kms.timeout ??= timeoutDefault;
  kms.apiVersion ||= "v1";
  if (kms.apiVersion === "v1") kms.cachesize ??= cacheSizeDefault;
}

export function timeoutMsOf({ timeout }: KmsConfiguration): number {
  return durationMs(timeout ?? timeoutDefault);
}

export function timeoutTextOf({ timeout }: KmsConfiguration): string {
  return formatDuration(parseDuration(timeout ?? timeoutDefault));
}
