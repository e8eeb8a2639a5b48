import type { Docs } from "./docs.ts";

const template = "The Pod that is created for each replica.";
const minReadySeconds =
  "Seconds that a new Pod must have been ready, without a crash, before it counts as available. Zero counts it at once.";
const revisionHistoryLimit = "How many old revisions are kept to go back to. 10 by default.";
const collisionCount = "How often the name of a new revision was taken already. It goes into the hash that names are made of.";
const maxUnavailable = "The most Pods that may be unavailable during an update: a number, or a percentage of those wanted.";
const maxSurge = "The most Pods that may exist above those wanted during an update: a number, or a percentage.";

/** `k8s.io/api/apps/v1`. */
export const appsDocs: Docs = {
  ControllerRevision: {
    "":
      "A snapshot of an object's state that its controller can go back to. DaemonSets and StatefulSets write them; immutable.",
    data: "The state, in a form that only the controller knows.",
    revision: "Number of the revision among those of the same owner. It only grows.",
  },
  DaemonSet: { "": "Runs one Pod on every node, or on every node of a selection." },
  DaemonSetSpec: {
    "": "What is wanted of a DaemonSet.",
    selector: "Labels of the Pods that belong to the DaemonSet. They must be among the template's labels, and cannot be changed.",
    template: "The Pod that is created on each node. Its nodeSelector and affinity decide which nodes those are.",
    updateStrategy: "How running Pods are replaced when the template changes.",
    minReadySeconds,
    revisionHistoryLimit,
  },
  DaemonSetUpdateStrategy: {
    "": "How the Pods of a DaemonSet are replaced.",
    type: "RollingUpdate replaces them a few at a time; OnDelete waits until somebody deletes the old ones.",
    rollingUpdate: "Settings of RollingUpdate.",
  },
  RollingUpdateDaemonSet: {
    "": "How a rolling update of a DaemonSet goes on.",
    maxUnavailable:
      "The most nodes whose Pod may be unavailable in an update: a number or a percentage. 1 by default. Not 0 unless maxSurge is set.",
    maxSurge: "The most nodes that may run a new Pod beside the old one during an update: a number, or a percentage. 0 by default.",
  },
  DaemonSetStatus: {
    "": "How far a DaemonSet has come.",
    currentNumberScheduled: "Nodes that run at least one Pod of the DaemonSet and should.",
    numberMisscheduled: "Nodes that run a Pod of the DaemonSet and should not.",
    desiredNumberScheduled: "Nodes that should run a Pod of the DaemonSet.",
    numberReady: "Nodes that should run a Pod and have a ready one.",
    updatedNumberScheduled: "Nodes that run a Pod of the present template.",
    numberAvailable: "Nodes that should run a Pod and have one that has been ready for minReadySeconds.",
    numberUnavailable: "Nodes that should run a Pod and have none that is available.",
    collisionCount,
  },
  DaemonSetCondition: {},
  Deployment: { "": "Keeps a number of equal Pods running and moves them to a new template step by step, through ReplicaSets." },
  DeploymentSpec: {
    "": "What is wanted of a Deployment.",
    replicas: "How many Pods are wanted. 1 by default.",
    selector: "Labels of the Pods that belong to the Deployment. They must be among the template's labels, and cannot be changed.",
    template: "The Pod that is created for each replica. A change of it begins a rollout. Its restartPolicy can only be Always.",
    strategy: "How old Pods are replaced by new ones.",
    minReadySeconds,
    revisionHistoryLimit: "How many old ReplicaSets are kept to go back to. 10 by default.",
    paused: "Whether rollouts wait: changes of the template take effect once this is false again.",
    progressDeadlineSeconds:
      "Seconds without progress after which a rollout counts as failed, as its condition Progressing says. 600 by default.",
  },
  DeploymentStrategy: {
    "": "How the Pods of a Deployment are replaced.",
    type: "RollingUpdate replaces them a few at a time; Recreate ends all old ones before it starts new ones.",
    rollingUpdate: "Settings of RollingUpdate.",
  },
  RollingUpdateDeployment: {
    "": "How a rolling update of a Deployment goes on.",
    maxUnavailable: `${maxUnavailable} 25% by default, rounded down. Not zero when maxSurge is.`,
    maxSurge: `${maxSurge} 25% by default, rounded up. Not zero when maxUnavailable is.`,
  },
  DeploymentStatus: {
    "": "How far a Deployment has come.",
    replicas: "Pods of the Deployment that are not ending, of any template.",
    updatedReplicas: "Pods of the present template that are not ending.",
    readyReplicas: "Pods that are ready and not ending.",
    availableReplicas: "Pods that have been ready for minReadySeconds.",
    unavailableReplicas: "Pods that are still needed until all wanted ones are available.",
    terminatingReplicas: "Pods that are ending and have not ended yet.",
    collisionCount,
  },
  DeploymentCondition: {},
  ReplicaSet: { "": "Keeps a number of equal Pods running. Deployments make ReplicaSets; few people make them by hand." },
  ReplicaSetSpec: {
    "": "What is wanted of a ReplicaSet.",
    replicas: "How many Pods are wanted. 1 by default.",
    minReadySeconds,
    selector: "Labels of the Pods that belong to the ReplicaSet. They must be among the template's labels, and cannot be changed.",
    template,
  },
  ReplicaSetStatus: {
    "": "How far a ReplicaSet has come.",
    replicas: "Pods of the ReplicaSet that are not ending.",
    fullyLabeledReplicas: "Pods that have all labels of the template and are not ending.",
    readyReplicas: "Pods that are ready and not ending.",
    availableReplicas: "Pods that have been ready for minReadySeconds.",
    terminatingReplicas: "Pods that are ending and have not ended yet.",
  },
  ReplicaSetCondition: {},
  StatefulSet: { "": "Keeps a number of Pods running that each have a lasting name and storage of their own, in a fixed order." },
  StatefulSetSpec: {
    "": "What is wanted of a StatefulSet.",
    replicas: "How many Pods are wanted. 1 by default.",
    selector: "Labels of the Pods that belong to the StatefulSet. They must be among the template's labels, and cannot be changed.",
    template: "The Pod that is created for each replica. Its name is NAME-ORDINAL. Its restartPolicy can only be Always.",
    volumeClaimTemplates:
      "Claims that each Pod gets a copy of. They outlive the Pod; a volume of the same name in the template is replaced.",
    serviceName: "Service that gives the Pods their DNS names. It should be headless and exist before the StatefulSet.",
    podManagementPolicy: "OrderedReady creates and ends Pods one after the other; Parallel does so at once.",
    updateStrategy: "How running Pods are replaced when the template changes.",
    revisionHistoryLimit,
    minReadySeconds,
    persistentVolumeClaimRetentionPolicy: "What becomes of the claims of volumeClaimTemplates.",
    ordinals: "How the replicas are numbered.",
  },
  StatefulSetUpdateStrategy: {
    "": "How the Pods of a StatefulSet are replaced.",
    type: "RollingUpdate replaces them from the highest ordinal down; OnDelete waits until somebody deletes the old ones.",
    rollingUpdate: "Settings of RollingUpdate.",
  },
  RollingUpdateStatefulSetStrategy: {
    "": "How a rolling update of a StatefulSet goes on.",
    partition: "Only Pods with this ordinal or a higher one are updated. 0 by default, which is all of them.",
    maxUnavailable: `${maxUnavailable} 1 by default; at least 1.`,
  },
  StatefulSetPersistentVolumeClaimRetentionPolicy: {
    "": "What becomes of the claims of a StatefulSet's Pods.",
    whenDeleted: "When the StatefulSet is deleted: Retain keeps the claims, Delete deletes them.",
    whenScaled: "When the StatefulSet is made smaller: Retain keeps the claims of the Pods above, Delete deletes them.",
  },
  StatefulSetOrdinals: {
    "": "How the replicas of a StatefulSet are numbered.",
    start: "Number of the first replica. 0 by default.",
  },
  StatefulSetStatus: {
    "": "How far a StatefulSet has come.",
    replicas: "Pods of the StatefulSet.",
    readyReplicas: "Pods that are ready.",
    currentReplicas: "Pods of the revision in currentRevision.",
    updatedReplicas: "Pods of the revision in updateRevision.",
    currentRevision: "The revision that Pods had before the update that is under way.",
    updateRevision: "The revision that Pods are updated to.",
    collisionCount,
    availableReplicas: "Pods that have been ready for minReadySeconds.",
  },
  StatefulSetCondition: {},
};
