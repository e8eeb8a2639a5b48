/** Fields that mean the same in every type. */
export const commonFields: Readonly<Record<string, string>> = {
  spec: "What is wanted.",
  status: "What was last observed. Components of the cluster write it, users only read it.",
  observedGeneration:
    "The generation of the object that this status was written for. A lower one than metadata.generation means that the status is old.",
  conditions: "The latest observations of the object's state, one for each type.",
};

/** Fields of every type whose name ends in Condition. */
export const conditionFields: Readonly<Record<string, string>> = {
  "": "One aspect of the state of an object at a certain point.",
  type: "Name of the condition, in CamelCase.",
  status: "True, False, or Unknown.",
  lastTransitionTime: "When the status last changed from one value to another.",
  lastUpdateTime: "When the condition was last written.",
  lastProbeTime: "When the condition was last looked at.",
  lastHeartbeatTime: "When the condition was last reported.",
  reason: "Why the condition has this status: one word in CamelCase, for programs.",
  message: "Why the condition has this status, for people. May be empty.",
  observedGeneration: "The generation of the object that the condition was written for.",
};

/** Fields of every list of objects, beside those of all kinds. */
export const listFields: Readonly<Record<string, string>> = { items: "The objects." };
