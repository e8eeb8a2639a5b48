import { authenticationDocs, authorizationDocs, certificatesDocs, rbacDocs } from "./access.ts";
import { admissionregistrationDocs, apiextensionsDocs } from "./admission.ts";
import { appsDocs } from "./apps.ts";
import { autoscalingV1Docs, autoscalingV2Docs } from "./autoscaling.ts";
import { batchDocs } from "./batch.ts";
import { commonFields, conditionFields, listFields } from "./common.ts";
import { clusterDocs } from "./core-cluster.ts";
import { containerDocs } from "./core-containers.ts";
import { podDocs } from "./core-pods.ts";
import { volumeDocs } from "./core-volumes.ts";
import type { Docs } from "./docs.ts";
import { flowcontrolDocs } from "./flowcontrol.ts";
import { metaDocs, scalarDocs, versionDocs } from "./meta.ts";
import { discoveryDocs, networkingDocs } from "./networking.ts";
import { policyDocs } from "./policy.ts";
import {
  apiserverinternalDocs,
  certificatesPreviewDocs,
  coordinationPreviewDocs,
  resourcePreviewDocs,
  schedulingPreviewDocs,
  storagemigrationDocs,
} from "./previews.ts";
import { resourceDocs } from "./resource.ts";
import { apiregistrationDocs, coordinationDocs, eventsDocs, nodeDocs, schedulingDocs } from "./small-groups.ts";
import { storageDocs } from "./storage.ts";

/** By the part of OpenAPI's definition names before the type's own. */
export const packages: Readonly<Record<string, Docs>> = {
  ...scalarDocs,
  "io.k8s.apimachinery.pkg.apis.meta.v1": metaDocs,
  "io.k8s.apimachinery.pkg.version": versionDocs,
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
  "io.k8s.api.certificates.v1": { ...certificatesDocs, ...certificatesPreviewDocs },
  "io.k8s.api.storage.v1": storageDocs,
  "io.k8s.api.admissionregistration.v1": admissionregistrationDocs,
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1": apiextensionsDocs,
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1": apiregistrationDocs,
  "io.k8s.api.events.v1": eventsDocs,
  "io.k8s.api.scheduling.v1": { ...schedulingDocs, ...schedulingPreviewDocs },
  "io.k8s.api.coordination.v1": { ...coordinationDocs, ...coordinationPreviewDocs },
  "io.k8s.api.node.v1": nodeDocs,
  "io.k8s.api.resource.v1": { ...resourceDocs, ...resourcePreviewDocs(resourceDocs) },
  "io.k8s.api.flowcontrol.v1": flowcontrolDocs,
  "io.k8s.api.apiserverinternal.v1alpha1": apiserverinternalDocs,
  "io.k8s.api.storagemigration.v1beta1": storagemigrationDocs,
};

/** Where the words of a definition are: alpha and beta versions have those of version 1, unless there is none. */
export function packageOf(definition: string): string {
  const own = definition.slice(0, definition.lastIndexOf("."));
  return packages[own] === undefined ? own.replace(/(?<=\.v)\d+(alpha|beta)\d+$/, "1") : own;
}

/** Words about a type, or a field of it, by OpenAPI's definition name. */
export function describeType(definition: string, field = ""): string | undefined {
  const type = definition.slice(definition.lastIndexOf(".") + 1);
  const own = packages[packageOf(definition)];
  const text = own?.[type]?.[field];
  if (text !== undefined || own === undefined) return text;
  if (type.endsWith("List") && own[type] === undefined) return field === "" ? `A list of ${type.slice(0, -4)} objects.` : listFields[field];
  return type.endsWith("Condition") ? (conditionFields[field] ?? commonFields[field]) : commonFields[field];
}
