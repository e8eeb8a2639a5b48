/**
 * AdmissionConfiguration: what `--admission-control-config-file` tells plugins.
 * Source: apiserver/pkg/admission/config.go, apis/apiserver/v1.
 */
import { dirname, resolve } from "node:path";
import { goQuote } from "#apimachinery/field-error.ts";
import { decodeJson } from "#apimachinery/json-codec.ts";
import { isJsonMap, type JsonMap } from "#apimachinery/json-value.ts";
import {
  type Fields,
  type Infer,
  kind,
  listOf,
  opt,
  ptr,
  rawObject,
  req,
  string,
  struct,
  type StructSchema,
} from "#apimachinery/schema.ts";
import type { Files } from "#base/files.ts";
import { parseYaml } from "#wire/yaml.ts";

/** What one plugin is told. */
export interface PluginConfiguration {
  readonly value: JsonMap;
  /** Keys that were given twice. */
  readonly duplicates: readonly string[];
}

/** By the plugin's name. */
export type PluginConfigurations = ReadonlyMap<string, PluginConfiguration>;

const apiVersions = ["apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1"];
/** Plugins that once had the whole file to themselves, by its only member. */
const unversioned: readonly (readonly [string, string])[] = [
  ["imagePolicy", "ImagePolicyWebhook"],
  ["podNodeSelectorPluginConfig", "PodNodeSelector"],
];

/** Reads the file and those that it names. Errors: upstream's texts. */
export async function readAdmissionConfiguration(files: Files, path: string): Promise<PluginConfigurations> {
  const content = await files.read(path).catch((error: unknown) => {
    throw new Error(`unable to read admission control configuration from ${goQuote(path)}`, { cause: error });
  });
  const whole = configurationOf(content);
  const { value } = whole;
  const legacy = unversioned.filter(([member]) => member in value);
  if (value["kind"] === undefined && legacy.length > 0) return new Map(legacy.map(([, plugin]) => [plugin, whole]));
  const configurations = new Map<string, PluginConfiguration>();
  const accepted = { apiVersions, kind: "AdmissionConfiguration" };
  const { plugins = [] } = decodeConfiguration<Infer<typeof AdmissionConfigurationSchema>>(whole, AdmissionConfigurationSchema, accepted);
  for (const { name, path: file, configuration } of plugins) {
    if (configurations.has(name)) continue;
    if (configuration !== undefined) configurations.set(name, { value: configuration, duplicates: [] });
    else if (file) configurations.set(name, configurationOf(await files.read(resolve(dirname(path), file))));
  }
  return configurations;
}

function configurationOf(content: Uint8Array): PluginConfiguration {
  const { value, duplicates } = parseYaml(content);
  if (!isJsonMap(value)) throw new Error("couldn't get version/kind; json parse error: the file holds no object");
  return { value, duplicates };
}

/** Source: apiserver/pkg/apis/apiserver/v1/types.go. */
const AdmissionConfigurationSchema = kind("io.k8s.apiserver.pkg.apis.apiserver.v1.AdmissionConfiguration", {
  plugins: opt(
    1,
    listOf(
      struct("io.k8s.apiserver.pkg.apis.apiserver.v1.AdmissionPluginConfiguration", {
        name: req(1, string),
        path: opt(2, string),
        configuration: ptr(3, rawObject),
      }),
    ),
  ),
});

interface Accepted {
  readonly apiVersions: readonly string[];
  readonly kind: string;
}

function expectKind({ value }: PluginConfiguration, accepted: Accepted): void {
  const { kind: name, apiVersion } = value;
  if (typeof name !== "string" || name === "") throw new Error("Object 'Kind' is missing");
  if (typeof apiVersion !== "string" || apiVersion === "") throw new Error("Object 'apiVersion' is missing");
  if (accepted.kind === name && accepted.apiVersions.includes(apiVersion)) return;
  throw new Error(`no kind ${goQuote(name)} is registered for version ${goQuote(apiVersion)}`);
}

/** A plugin's own configuration. Errors: upstream's texts, when it is of another kind or has unknown members. */
export function decodeConfiguration<T extends object>(
  configuration: PluginConfiguration,
  schema: StructSchema<Fields>,
  accepted: Accepted,
): T {
  expectKind(configuration, accepted);
  const { object, findings } = decodeJson<T>(schema, configuration.value);
  const problems = [...configuration.duplicates, ...findings];
  if (problems.length > 0) throw new Error(`strict decoding error: ${problems.join(", ")}`);
  return object;
}
