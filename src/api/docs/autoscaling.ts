import type { Docs } from "./docs.ts";

const name = "The resource, such as cpu or memory.";
const metric = "Which metric is looked at.";
const target = "The value that is aimed at.";
const current = "The value that was seen.";
const container = "The container that is looked at in each Pod.";
const scaleTargetRef = "The object whose number of replicas is changed, such as a Deployment.";
const minReplicas = "The fewest replicas that it goes down to. 1 by default.";
const maxReplicas = "The most replicas that it goes up to.";
const lastScaleTime = "When the number of replicas was last changed.";
const currentReplicas = "How many replicas there were when it was last looked at.";
const desiredReplicas = "How many replicas are wanted as last computed.";

const reference = {
  "": "Names another object.",
  name: "Name of the object.",
  apiVersion: "Version of the API that the object is spoken to in.",
  kind: "Kind of the object.",
};

/** `k8s.io/api/autoscaling/v1`. */
export const autoscalingV1Docs: Docs = {
  Scale: { "": "How many replicas an object wants and has, whatever its kind." },
  ScaleSpec: { "": "What is wanted.", replicas: "How many replicas are wanted." },
  ScaleStatus: {
    "": "What there is.",
    replicas: "How many replicas there are.",
    selector: "Labels of the replicas' Pods, written as a query.",
  },
  HorizontalPodAutoscaler: { "": "Changes the number of replicas of an object so that its Pods use about as much CPU as is aimed at." },
  HorizontalPodAutoscalerSpec: {
    "": "What is wanted of an autoscaler.",
    scaleTargetRef,
    minReplicas,
    maxReplicas,
    targetCPUUtilizationPercentage: "The CPU that Pods should use on average, in percent of what they request.",
  },
  CrossVersionObjectReference: reference,
  HorizontalPodAutoscalerStatus: {
    "": "What an autoscaler saw and did.",
    lastScaleTime,
    currentReplicas,
    desiredReplicas,
    currentCPUUtilizationPercentage: "The CPU that Pods used on average, in percent of what they request.",
  },
};

/** `k8s.io/api/autoscaling/v2`. */
export const autoscalingV2Docs: Docs = {
  HorizontalPodAutoscaler: { "": "Changes the number of replicas of an object so that metrics stay near what is aimed at." },
  HorizontalPodAutoscalerSpec: {
    "": "What is wanted of an autoscaler.",
    scaleTargetRef,
    minReplicas,
    maxReplicas,
    metrics: "What is looked at. Each metric proposes a number of replicas, and the highest is taken. 80% of the requested CPU by default.",
    behavior: "How fast it goes up and down.",
  },
  CrossVersionObjectReference: reference,
  MetricSpec: {
    "": "One metric: type says which of the other fields is set.",
    type: "Resource, ContainerResource, Pods, Object or External.",
    object: "A metric of one object, such as the requests that reach an Ingress.",
    pods: "A metric of the Pods themselves; the average is compared with the target.",
    resource: "A resource that the Pods request and use.",
    containerResource: "A resource that one container of each Pod requests and uses.",
    external: "A metric that belongs to no object of the cluster.",
  },
  ObjectMetricSource: { "": "A metric of one object.", describedObject: "The object.", target, metric },
  MetricTarget: {
    "": "What is aimed at: one of the values.",
    type: "Utilization, Value or AverageValue: which of the other fields counts.",
    value: "The value of the metric itself.",
    averageValue: "The value divided by the number of Pods.",
    averageUtilization: "The average over the Pods, in percent of what they request.",
  },
  MetricIdentifier: { "": "Names a metric.", name: "Name of the metric.", selector: "Narrows the metric down by its labels." },
  PodsMetricSource: { "": "A metric of the Pods, averaged over them.", metric, target },
  ResourceMetricSource: { "": "A resource that Pods use.", name, target },
  ContainerResourceMetricSource: { "": "A resource that one container of each Pod uses.", name, target, container },
  ExternalMetricSource: { "": "A metric from outside of the cluster.", metric, target },
  HorizontalPodAutoscalerBehavior: {
    "": "How fast an autoscaler goes up and down.",
    scaleUp: "Going up. By default the faster of 4 more Pods and twice as many, every 15 seconds, at once.",
    scaleDown: "Going down. By default as far as minReplicas, after five minutes of lower need.",
  },
  HPAScalingRules: {
    "": "How fast it goes in one direction.",
    stabilizationWindowSeconds: "Seconds of past recommendations that are looked at, so that short peaks change nothing. At most 3600.",
    selectPolicy: "Max takes the policy that changes most, Min the one that changes least, Disabled changes nothing in this direction.",
    policies: "What may change in which time. At least one.",
    tolerance: "How far from its target a metric may be without a change, as a fraction. 0.1 by default.",
  },
  HPAScalingPolicy: {
    "": "What may change in which time.",
    type: "Pods counts them, Percent takes a part of those that there are.",
    value: "How many, or how many percent. Above zero.",
    periodSeconds: "In how many seconds. At most 1800.",
  },
  HorizontalPodAutoscalerStatus: {
    "": "What an autoscaler saw and did.",
    lastScaleTime,
    currentReplicas,
    desiredReplicas,
    currentMetrics: "The metrics as last read.",
  },
  MetricStatus: {
    "": "One metric as last read: type says which of the other fields is set.",
    type: "Resource, ContainerResource, Pods, Object or External.",
    object: "A metric of one object.",
    pods: "A metric of the Pods, averaged over them.",
    resource: "A resource that the Pods use.",
    containerResource: "A resource that one container of each Pod uses.",
    external: "A metric that belongs to no object of the cluster.",
  },
  ObjectMetricStatus: { "": "A metric of one object, as last read.", metric, current, describedObject: "The object." },
  MetricValueStatus: {
    "": "A value that was read.",
    value: "The value of the metric itself.",
    averageValue: "The value divided by the number of Pods.",
    averageUtilization: "The average over the Pods, in percent of what they request.",
  },
  PodsMetricStatus: { "": "A metric of the Pods, as last read.", metric, current },
  ResourceMetricStatus: { "": "A resource that Pods use, as last read.", name, current },
  ContainerResourceMetricStatus: { "": "A resource that one container of each Pod uses, as last read.", name, current, container },
  ExternalMetricStatus: { "": "A metric from outside of the cluster, as last read.", metric, current },
  HorizontalPodAutoscalerCondition: {},
};
