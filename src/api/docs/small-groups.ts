import type { Docs } from "./docs.ts";

/** `k8s.io/kube-aggregator/pkg/apis/apiregistration/v1`. */
export const apiregistrationDocs: Docs = {
  APIService: { "": "A version of an API group, and the server that serves it." },
  APIServiceSpec: {
    "": "Who serves a version.",
    service: "Service of the server. Absent means this server itself.",
    group: "The group.",
    version: "The version.",
    insecureSkipTLSVerify: "Whether the server's certificate goes unchecked.",
    caBundle: "Certificates that the server's is checked with, as PEM.",
    groupPriorityMinimum: "Where the group stands among others: the highest comes first.",
    versionPriority: "Where the version stands in its group: the highest comes first.",
  },
  ServiceReference: { "": "A Service.", namespace: "Its namespace.", name: "Its name.", port: "Its port. 443 by default." },
  APIServiceStatus: { "": "Whether the server answers." },
  APIServiceCondition: {},
};

/** `k8s.io/api/events/v1`. */
export const eventsDocs: Docs = {
  Event: {
    "": "Something that happened to an object. Events are kept for an hour, and nothing may depend on them.",
    eventTime: "When it was first seen.",
    series: "How it goes on, when it happens again and again.",
    reportingController: "Name of the controller that reports it.",
    reportingInstance: "Which instance of it.",
    action: "What was done, or failed.",
    reason: "Why, in one word.",
    regarding: "The object.",
    related: "A second object that it is about.",
    note: "What happened, for people.",
    type: "Normal or Warning.",
    deprecatedSource: "Of the older form.",
    deprecatedFirstTimestamp: "Of the older form.",
    deprecatedLastTimestamp: "Of the older form.",
    deprecatedCount: "Of the older form.",
  },
  EventSeries: { "": "How an event goes on.", count: "How often it happened.", lastObservedTime: "When it was last seen." },
};

/** `k8s.io/api/scheduling/v1`. */
export const schedulingDocs: Docs = {
  PriorityClass: {
    "": "A name for a priority of Pods.",
    value: "The priority: the higher the more important. It cannot be changed.",
    globalDefault: "Whether Pods without a class get it. At most one is.",
    description: "When it should be used.",
    preemptionPolicy: "PreemptLowerPriority may end others for its Pods, Never lets them wait.",
  },
};

/** `k8s.io/api/coordination/v1`. */
export const coordinationDocs: Docs = {
  Lease: { "": "Something that one holder has at a time: leadership, or being alive." },
  LeaseSpec: {
    "": "Who holds a lease.",
    holderIdentity: "The holder.",
    leaseDurationSeconds: "Seconds after the last renewal when others may take it.",
    acquireTime: "When it was taken.",
    renewTime: "When it was last renewed.",
    leaseTransitions: "How often it went to another holder.",
    strategy: "How a leader is chosen by the coordinator.",
    preferredHolder: "Who should take it over.",
  },
};

/** `k8s.io/api/node/v1`. */
export const nodeDocs: Docs = {
  RuntimeClass: {
    "": "A container runtime that Pods can choose.",
    handler: "Name of the runtime in the nodes' configuration. It cannot be changed.",
    overhead: "What the runtime itself uses for a Pod.",
    scheduling: "Nodes that have it.",
  },
  Overhead: { "": "What a runtime uses for a Pod.", podFixed: "How much of each resource." },
  Scheduling: {
    "": "Nodes that have a runtime.",
    nodeSelector: "Labels of the nodes.",
    tolerations: "Taints of theirs that its Pods bear.",
  },
};
