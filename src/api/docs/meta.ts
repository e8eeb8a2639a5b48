import type { Docs } from "./docs.ts";

/** `k8s.io/apimachinery/pkg/apis/meta/v1`. */
export const metaDocs: Docs = {
  ObjectMeta: {
    "": "What every stored object has: its name, its identity, its labels, who owns it and who wrote it.",
  },
  OwnerReference: {
    "":
      "Names an owner of this object, in the same namespace or in none. When all owners are gone, the object is deleted.",
    name: "Name of the owner.",
    uid: "UID of the owner: a new object of the same name is not the owner.",
    controller: "Whether the owner is the controller that manages the object. At most one is.",
    blockOwnerDeletion: "Whether a foreground deletion of the owner waits until this object is gone.",
  },
  ManagedFieldsEntry: {
    "": "Which fields one manager set, with one operation, in one version of the API.",
    manager: "Name of the manager: a user's tool or a controller.",
    operation: "Apply, for server-side apply, or Update, for every other write.",
    time: "When the manager last changed its set of fields.",
    fieldsType: "The format of fieldsV1. The only one is FieldsV1.",
    fieldsV1: "The set of fields as a tree: f: leads to a field, k: and v: to an item of a list, and a dot is the field itself.",
    subresource: "The subresource that was written through, empty for the object itself.",
  },
  LabelSelector: {
    "": "Selects objects by their labels. All requirements must hold. An empty selector matches every object, an absent one matches none.",
    matchLabels: "Labels that must have just these values.",
    matchExpressions: "Requirements beyond equality. All must hold.",
  },
  LabelSelectorRequirement: {
    "": "A requirement on one label.",
    key: "The label.",
    operator: "In or NotIn, with values; Exists or DoesNotExist, without.",
    values: "The values to compare with: some for In and NotIn, none for Exists and DoesNotExist.",
  },
  FieldSelectorRequirement: {
    "": "A requirement on one field.",
    key: "The field.",
    operator: "In or NotIn, with values; Exists or DoesNotExist, without.",
    values: "The values to compare with: some for In and NotIn, none for Exists and DoesNotExist.",
  },
  DeleteOptions: {
    "": "How an object is to be deleted.",
    gracePeriodSeconds: "Seconds that the object gets to end by itself. Zero deletes it at once; absent takes the default of its kind.",
    preconditions: "What must hold, or else the deletion is refused with a conflict.",
    orphanDependents: "Deprecated: use propagationPolicy. Whether dependents stay behind without an owner.",
    propagationPolicy:
      "What becomes of dependents: Orphan leaves them, Background deletes them afterwards, Foreground before the object itself.",
    dryRun: "With All, the request is checked and answered, and nothing is stored.",
    ignoreStoreReadErrorWithClusterBreakingPotential:
      "Deletes an object whose stored data cannot be read. Finalizers and the graceful end are passed over, which can break the cluster.",
  },
  Preconditions: {
    "": "What must hold before an object is changed or deleted.",
    uid: "The UID that the object must have.",
    resourceVersion: "The resource version that the object must have.",
  },
};
