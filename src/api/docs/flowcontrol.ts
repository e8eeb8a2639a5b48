import type { Docs } from "./docs.ts";

const nominalConcurrencyShares = "Its part of the requests that the server runs at one time, against the shares of all others.";
const lendablePercent = "How much of it others may use while it is idle, in percent.";

/** `k8s.io/api/flowcontrol/v1`. */
export const flowcontrolDocs: Docs = {
  FlowSchema: { "": "Which requests go to which priority level." },
  FlowSchemaSpec: {
    "": "Which requests, and where.",
    priorityLevelConfiguration: "Where they go.",
    matchingPrecedence: "Which schema decides when several match: the one with the lowest. 1 to 10000.",
    distinguisherMethod: "How they are told apart into flows. Absent makes them one flow.",
    rules: "Which requests. One rule that matches is enough.",
  },
  PriorityLevelConfigurationReference: { "": "A priority level.", name: "Its name." },
  FlowDistinguisherMethod: { "": "How requests are told apart.", type: "ByUser or ByNamespace." },
  PolicyRulesWithSubjects: {
    "": "Requests of some users.",
    subjects: "The users. One that matches is enough.",
    resourceRules: "Requests for resources.",
    nonResourceRules: "Requests for paths.",
  },
  Subject: {
    "": "A user.",
    kind: "User, Group or ServiceAccount: which of the other fields is set.",
    user: "By name.",
    group: "By group.",
    serviceAccount: "A ServiceAccount.",
  },
  UserSubject: { "": "A user by name.", name: "The name. * means all." },
  GroupSubject: { "": "A group.", name: "Its name. * means all." },
  ServiceAccountSubject: { "": "A ServiceAccount.", namespace: "Its namespace.", name: "Its name. * means all." },
  ResourcePolicyRule: {
    "": "Requests for resources.",
    verbs: "The verbs. * means all.",
    apiGroups: "Groups of the resources. * means all.",
    resources: "The resources. * means all.",
    clusterScope: "Whether requests without a namespace are meant.",
    namespaces: "The namespaces. * means all.",
  },
  NonResourcePolicyRule: {
    "": "Requests for paths.",
    verbs: "The verbs. * means all.",
    nonResourceURLs: "The paths. * may be the last part.",
  },
  FlowSchemaStatus: { "": "What is known of a schema.", conditions: "Dangling: whether its priority level is absent." },
  FlowSchemaCondition: {},
  PriorityLevelConfiguration: { "": "How many requests of one importance run, and what the others do." },
  PriorityLevelConfigurationSpec: {
    "": "How requests are treated.",
    type: "Limited or Exempt.",
    limited: "Settings of Limited.",
    exempt: "Settings of Exempt.",
  },
  LimitedPriorityLevelConfiguration: {
    "": "How many run, and what the others do.",
    nominalConcurrencyShares,
    limitResponse: "What requests do that cannot run at once.",
    lendablePercent,
    borrowingLimitPercent: "How much it may borrow of others, in percent of its own. Absent means no bound.",
  },
  LimitResponse: { "": "What requests do that cannot run at once.", type: "Queue or Reject.", queuing: "Settings of Queue." },
  QueuingConfiguration: {
    "": "How requests wait.",
    queues: "How many queues there are. 64 by default.",
    handSize: "How many of them one flow may use. 8 by default.",
    queueLengthLimit: "The most that wait in one queue. 50 by default.",
  },
  ExemptPriorityLevelConfiguration: { "": "What an exempt level leaves to others.", nominalConcurrencyShares, lendablePercent },
  PriorityLevelConfigurationStatus: { "": "What is known of a priority level." },
  PriorityLevelConfigurationCondition: {},
};
