import type { Docs } from "./docs.ts";

const serverAddresses = "Addresses of the server, by where the client is.";

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
  ListMeta: {
    "": "What lists have beside their items.",
    selfLink: "No longer set.",
    resourceVersion: "State of the server that the list shows. Watches may begin there.",
    continue: "Token that gets the next page. Empty on the last one.",
    remainingItemCount: "About how many items follow on later pages. Absent when a selector was given.",
  },
  ShardInfo: { "": "Which part of all objects a list has.", selector: "The selector of the request." },
  Status: {
    "": "How a request ended that has no object to answer with.",
    status: "Success or Failure.",
    message: "What happened, for people.",
    reason: "Why it failed: one word for programs.",
    code: "The code of HTTP.",
  },
  StatusDetails: {
    "": "What a failure is about.",
    name: "Name of the object.",
    group: "Group of the object.",
    kind: "Kind or resource of the object.",
    uid: "UID of the object.",
    causes: "Everything that was wrong.",
    retryAfterSeconds: "Seconds after which the request may be made again.",
  },
  StatusCause: {
    "": "One thing that was wrong.",
    reason: "Why, in one word for programs.",
    message: "Why, for people.",
    field: "The field, by its path in JSON.",
  },
  WatchEvent: { "": "A change that a watch tells of." },
  Patch: { "": "A change of an object, in the form that the content type names." },
  Time: { "": "A time of whole seconds, as RFC 3339 writes it." },
  MicroTime: { "": "A time to the microsecond, as RFC 3339 writes it." },
  FieldsV1: { "": "A set of fields as a tree." },
  GroupResource: { "": "A resource, whatever its version." },
  APIVersions: {
    "": "Versions of the core group.",
    versions: "The versions.",
    serverAddressByClientCIDRs: serverAddresses,
  },
  APIGroupList: { "": "The groups that are served.", groups: "The groups." },
  APIGroup: {
    "": "A group and its versions.",
    name: "Name of the group.",
    versions: "The versions that are served.",
    preferredVersion: "The one to choose among them.",
    serverAddressByClientCIDRs: serverAddresses,
  },
  GroupVersionForDiscovery: { "": "A version of a group.", groupVersion: "group/version.", version: "The version alone." },
  ServerAddressByClientCIDR: {
    "": "How clients of some addresses reach the server.",
    clientCIDR: "The clients' addresses.",
    serverAddress: "Address of the server: a host name or IP, and a port perhaps.",
  },
  APIResourceList: {
    "": "The resources of a version of a group.",
    groupVersion: "group/version.",
    resources: "The resources and their subresources.",
  },
  APIResource: {
    "": "A resource or subresource.",
    name: "Its plural name; subresources have the resource's before a slash.",
    singularName: "Its singular name.",
    namespaced: "Whether its objects are in namespaces.",
    group: "Group of its kind, where it is not that of the list.",
    version: "Version of its kind, where it is not that of the list.",
    kind: "Its kind.",
    verbs: "What can be done with it.",
    shortNames: "Shorter names of it.",
    categories: "Names for many resources, such as all.",
    storageVersionHash: "Changes with the version that objects are stored in.",
  },
};

/** Scalars that have a definition of their own, by package. */
export const scalarDocs: Readonly<Record<string, Docs>> = {
  "io.k8s.apimachinery.pkg.api.resource": {
    Quantity: { "": "A number with a suffix: 100m is a tenth, 2k two thousand, 1Ki is 1024." },
  },
  "io.k8s.apimachinery.pkg.runtime": { RawExtension: { "": "An object of any kind." } },
  "io.k8s.apimachinery.pkg.util.intstr": { IntOrString: { "": "A whole number or a text: often a percentage or a name." } },
};

/** `k8s.io/apimachinery/pkg/version`. */
export const versionDocs: Docs = {
  Info: {
    "": "What was built, and when.",
    major: "Major version of the program.",
    minor: "Minor version of the program.",
    emulationMajor: "Major version that it behaves as.",
    emulationMinor: "Minor version that it behaves as.",
    minCompatibilityMajor: "Major version of the oldest that it gets along with.",
    minCompatibilityMinor: "Minor version of the oldest that it gets along with.",
  },
};
