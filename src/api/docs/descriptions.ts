import { authenticationDocs, authorizationDocs, certificatesDocs, rbacDocs } from "./access.ts";
import { admissionregistrationDocs, apiextensionsDocs } from "./admission.ts";
import { appsDocs } from "./apps.ts";
import { autoscalingV1Docs, autoscalingV2Docs } from "./autoscaling.ts";
import { batchDocs } from "./batch.ts";
import { commonFields, conditionFields } from "./common.ts";
import { clusterDocs } from "./core-cluster.ts";
import { containerDocs } from "./core-containers.ts";
import { podDocs } from "./core-pods.ts";
import { volumeDocs } from "./core-volumes.ts";
import type { Docs } from "./docs.ts";
import { flowcontrolDocs } from "./flowcontrol.ts";
import { metaDocs } from "./meta.ts";
import { discoveryDocs, networkingDocs } from "./networking.ts";
import { policyDocs } from "./policy.ts";
import { resourceDocs } from "./resource.ts";
import { apiregistrationDocs, coordinationDocs, eventsDocs, nodeDocs, schedulingDocs } from "./small-groups.ts";
import { storageDocs } from "./storage.ts";

/** By the part of OpenAPI's definition names before the type's own. */
export const packages: Readonly<Record<string, Docs>> = {
  "io.k8s.apimachinery.pkg.apis.meta.v1": metaDocs,
  "io.k8s.api.core.v1": { ...clusterDocs, ...containerDocs, ...podDocs, ...volumeDocs },
  "io.k8s.api.apps.v1": appsDocs,
  "io.k8s.api.batch.v1": batchDocs,
  "io.k8s.api.autoscaling.v1": autoscalingV1Docs,
  "io.k8s.api.autoscaling.v2": autoscalingV2Docs,
  "io.k8s.api.policy.v1": policyDocs,
  "io.k8s.api.networking.v1": networkingDocs,
  "io.k8s.api.discovery.v1": discoveryDocs,
  "io.k8s.api.rbac.v1": rbacDocs,
  "io.k8s.api.authentication.v1": authenticationDocs,
  "io.k8s.api.authorization.v1": authorizationDocs,
  "io.k8s.api.certificates.v1": certificatesDocs,
  "io.k8s.api.storage.v1": storageDocs,
  "io.k8s.api.admissionregistration.v1": admissionregistrationDocs,
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": apiextensionsDocs,
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1": apiregistrationDocs,
  "io.k8s.api.events.v1": eventsDocs,
  "io.k8s.api.scheduling.v1": schedulingDocs,
  "io.k8s.api.coordination.v1": coordinationDocs,
  "io.k8s.api.node.v1": nodeDocs,
  "io.k8s.api.resource.v1": resourceDocs,
  "io.k8s.api.flowcontrol.v1": flowcontrolDocs,
};

/** Words about a type, or a field of it, by OpenAPI's definition name. Alpha and beta versions have those of version 1. */
export function describeType(definition: string, field = ""): string | undefined {
  const dot = definition.lastIndexOf(".");
  const type = definition.slice(dot + 1);
  const own = packages[definition.slice(0, dot)] ?? packages[definition.slice(0, dot).replace(/(?<=\.v)\d+(alpha|beta)\d+$/, "1")];
  const text = own?.[type]?.[field];
  if (text !== undefined || own === undefined) return text;
  return type.endsWith("Condition") ? (conditionFields[field] ?? commonFields[field]) : commonFields[field];
}
