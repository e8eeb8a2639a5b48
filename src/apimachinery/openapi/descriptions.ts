import type { Describe } from "./definitions.ts";

/** What members of every kind mean. */
const ofKinds = new Map<string, string>([
  ["apiVersion", "APIVersion defines the versioned schema of this object."],
  ["kind", "Kind is the kind of this object, in CamelCase. It cannot be changed."],
  ["metadata", "Standard object's metadata."],
]);

const ofObjectMeta = new Map<string, string>([
  ["name", "Name is unique within a namespace, and cannot be changed."],
  ["generateName", "GenerateName is a prefix that the server makes a name of when there is none."],
  ["namespace", "Namespace is the space that the name is unique in. It cannot be changed."],
  ["selfLink", "SelfLink is no longer set."],
  ["uid", "UID is unique in time and space. The server sets it."],
  ["resourceVersion", "ResourceVersion is an opaque text that every change of the object changes."],
  ["generation", "Generation counts the changes of the desired state."],
  ["creationTimestamp", "CreationTimestamp is a timestamp of when the server created the object."],
  ["deletionTimestamp", "DeletionTimestamp is the time after which the object goes away."],
  ["deletionGracePeriodSeconds", "DeletionGracePeriodSeconds is how long it may end gracefully."],
  ["labels", "Labels are keys and values to select objects by."],
  ["annotations", "Annotations are keys and values for tools; nothing is selected by them."],
  ["ownerReferences", "OwnerReferences are the objects that this one depends on."],
  ["finalizers", "Finalizers must all be removed before the object goes away."],
  ["managedFields", "ManagedFields tell which manager set which fields."],
]);

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** Words by schema, then by field. */
const ofMeta: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  [`${meta}.ObjectMeta`]: ofObjectMeta,
  [`${meta}.ListMeta`]: new Map([["shardInfo", "ShardInfo tells which part of all objects a list has."]]),
  [`${meta}.Status`]: new Map([["details", "Details of the reason, for programs. Each reason may have its own."]]),
  [`${meta}.WatchEvent`]: new Map([["object", "Object is the new state, the last one of what was deleted, or the Status of an error."]]),
};

/** Descriptions of what all objects have in common; `more` is asked first. */
export function describeCommon(more: Describe): Describe {
  return (schemaName, field) => {
    const own = more(schemaName, field);
    if (own !== undefined || field === undefined) return own;
    return ofMeta[schemaName]?.get(field) ?? ofKinds.get(field);
  };
}
