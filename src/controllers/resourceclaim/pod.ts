import { errorMessage } from "#base/error-message.ts";
import { type Pod, pods } from "#api/core/v1/pod.ts";
import { type ResourceClaim, resourceClaims } from "#api/resource/v1/resource-claim.ts";
import { resourceClaimTemplates } from "#api/resource/v1/resource-claim-template.ts";
import { objectKey } from "#apimachinery/object.ts";
import { type Context, done, type Outcome } from "../framework/controller.ts";
import { controllerRef } from "../framework/owners.ts";
import { isTerminal } from "../framework/pods.ts";

const claimNameAnnotation = "resource.kubernetes.io/pod-claim-name";
const fieldManager = "ResourceClaimController";

type PodContext = Context<Pod, undefined>;
type PodClaim = NonNullable<Pod["spec"]["resourceClaims"]>[number];

/** Makes the claims that the Pod wants from templates, and tells their names in its status. */
export async function reconcilePod(context: PodContext): Promise<Outcome> {
  const pod = context.get();
  if (pod === undefined || isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return done;
  const wanted = (pod.spec.resourceClaims ?? []).filter(({ resourceClaimTemplateName }) => resourceClaimTemplateName !== undefined);
  const known = pod.status?.resourceClaimStatuses ?? [];
  const added: { name: string; resourceClaimName: string }[] = [];
  for (const podClaim of wanted) {
    if (known.some(({ name }) => name === podClaim.name)) continue;
    try {
      const resourceClaimName = await ensureClaim(context, pod, podClaim);
      added.push({ name: podClaim.name, resourceClaimName });
    } catch (error) {
      context.events.warning(pod, "FailedResourceClaimCreation", `PodResourceClaim ${podClaim.name}: ${errorMessage(error)}`);
      throw error;
    }
  }
  if (added.length === 0) return done;
  const body = { status: { resourceClaimStatuses: [...known, ...added] } };
  await context.resource(pods).patch(context.key, { type: "strategic", body, subresource: "status" }, { fieldManager });
  return done;
}

async function ensureClaim(context: PodContext, pod: Pod, podClaim: PodClaim): Promise<string> {
  const made = context
    .lister(resourceClaims)
    .ownedBy(pod.metadata.uid)
    .find(({ metadata }) => metadata.annotations?.[claimNameAnnotation] === podClaim.name && metadata.deletionTimestamp === undefined);
  if (made?.metadata.name !== undefined) return made.metadata.name;
  const templateName = podClaim.resourceClaimTemplateName ?? "";
  const namespace = pod.metadata.namespace ?? "";
  const template = context.lister(resourceClaimTemplates).get(objectKey(namespace, templateName));
  if (template === undefined) {
    const why = `resourceclaimtemplate.resource.k8s.io "${templateName}" not found`;
    throw new Error(`resource claim template "${templateName}": ${why}`);
  }
  const { labels, annotations } = template.spec.metadata ?? {};
  const claim: ResourceClaim = {
    metadata: {
      namespace,
      generateName: `${pod.metadata.name}-${podClaim.name}-`,
      ...(labels && { labels }),
      annotations: { ...annotations, [claimNameAnnotation]: podClaim.name },
      ownerReferences: [controllerRef(pods, pod)],
    },
    spec: template.spec.spec,
  };
  const created = await context.resource(resourceClaims).create(claim);
  return created.metadata.name ?? "";
}
