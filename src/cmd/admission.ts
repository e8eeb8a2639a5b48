import { errorMessage } from "#base/error-message.ts";
import { createHttpClient } from "#base/os/http-client.ts";
import type { World } from "#base/world.ts";
import { type PluginConfigurations, readAdmissionConfiguration } from "#apiserver/admission/configuration.ts";
import { enabledPlugins } from "#apiserver/admission/plugin-order.ts";
import type { PluginOptions } from "#apiserver/admission/plugins.ts";
import { imagePolicyConfiguration } from "#apiserver/admission/plugins/image-policy-webhook.ts";
import type { ApiServerFlags } from "./api-server-component.ts";
import { readCredentials } from "./remote.ts";

type AdmissionFlags = Pick<ApiServerFlags, "enableAdmissionPlugins" | "disableAdmissionPlugins" | "admissionConfigFile">;

export type AdmissionSetting = Pick<PluginOptions, "selection" | "configurations" | "imagePolicy">;

/** Which plugins run and what they are told. Errors: upstream's texts. */
export async function openAdmission(
  world: World,
  { enableAdmissionPlugins: enable, disableAdmissionPlugins: disable, admissionConfigFile: path }: AdmissionFlags,
): Promise<AdmissionSetting> {
  const selection = { enable, disable };
  const names = enabledPlugins(selection);
  const configurations = path === undefined ? new Map() : await readConfiguration(world, path);
  const hasImagePolicy = names.includes("ImagePolicyWebhook");
  return { selection, configurations, ...(hasImagePolicy && { imagePolicy: await openImagePolicy(world, configurations) }) };
}

async function readConfiguration(world: World, path: string): Promise<PluginConfigurations> {
  try {
    return await readAdmissionConfiguration(world.files, path);
  } catch (error) {
    throw new Error(`failed to read plugin config: ${errorMessage(error)}`, { cause: error });
  }
}

async function openImagePolicy(world: World, configurations: PluginConfigurations): Promise<NonNullable<PluginOptions["imagePolicy"]>> {
  try {
    const configuration = imagePolicyConfiguration(configurations.get("ImagePolicyWebhook"));
    const { baseUrl, trust, pair, token } = await readCredentials(world, configuration.kubeConfigFile);
    const { origin, pathname, search } = new URL(baseUrl);
    const http = createHttpClient({ baseUrl: origin, tls: { ...trust, ...pair }, ...(token !== undefined && { token }) });
    return { configuration, http, path: `${pathname}${search}` };
  } catch (error) {
    throw new Error(`couldn't init admission plugin "ImagePolicyWebhook": ${errorMessage(error)}`, { cause: error });
  }
}
