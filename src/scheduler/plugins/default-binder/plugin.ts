import { pods } from "#api/core/v1/pod.ts";
import { definePlugin } from "../../framework.ts";

/** Writes the decision to the API server. Source: scheduler DefaultBinder. */
export const defaultBinder = definePlugin({
  name: "DefaultBinder",
  async bind(pod, nodeName, { client }) {
    const { namespace, name, uid, key } = pod;
    const body = {
      kind: "Binding",
      apiVersion: "v1",
      metadata: { namespace, name, uid },
      target: { kind: "Node", name: nodeName },
    };
    await client.resource(pods).createSubresource({ key, name: "binding", body });
    return "bound";
  },
});
