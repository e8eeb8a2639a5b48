import type { Docs } from "./docs.ts";

const driver = "Name of the driver.";
const pool = "Name of the pool.";
const device = "Name of the device.";
const deviceClassName = "Class of the devices.";
const selectors = "What devices must be like. All must hold.";
const allocationMode = "ExactCount takes count devices, All takes every one that fits. ExactCount by default.";
const count = "How many devices. 1 by default.";
const tolerations = "Taints of devices that are borne.";
const capacity = "How much of a device's capacity is needed.";
const requests = "Requests that it is about. Empty means all.";
const opaque = "Settings that only the driver knows.";
const nodeName = "The one node that has it.";
const nodeSelector = "Nodes that have it.";
const allNodes = "Whether all nodes have it.";
const bindingConditions = "Conditions of the device that must be true before a Pod is bound.";
const bindingFailureConditions = "Conditions of the device any of which means that binding has failed.";
const taint = { key: "Key of the taint.", value: "Its value.", effect: "None, NoSchedule or NoExecute." };

/** `k8s.io/api/resource/v1`. */
export const resourceDocs: Docs = {
  DeviceClass: { "": "A sort of devices that claims can ask for." },
  DeviceClassSpec: {
    "": "A sort of devices.",
    selectors,
    config: "Settings of the devices.",
    extendedResourceName: "Extended resource that Pods may ask for such devices by.",
  },
  DeviceSelector: { "": "What a device must be like.", cel: "In CEL." },
  CELDeviceSelector: {
    "": "What a device must be like, in CEL.",
    expression: "An expression that must be true. It knows device.driver, device.attributes and device.capacity.",
  },
  DeviceClassConfiguration: { "": "Settings of devices.", opaque },
  OpaqueDeviceConfiguration: {
    "": "Settings that only a driver knows.",
    driver,
    parameters: "The settings: an object with kind and apiVersion, as a rule.",
  },
  ResourceClaim: { "": "Asks for devices. Pods name it, and get what it was given." },
  ResourceClaimSpec: { "": "What is asked for. It cannot be changed.", devices: "The devices." },
  DeviceClaim: {
    "": "Devices that are asked for.",
    requests: "One for each sort.",
    constraints: "What they must have in common.",
    config: "Settings of the devices.",
  },
  DeviceRequest: {
    "": "Devices of one sort. Either field.",
    name: "Name of the request.",
    exactly: "Just these.",
    firstAvailable: "The first of these that can be had.",
  },
  ExactDeviceRequest: {
    "": "Devices of one class.",
    deviceClassName,
    selectors,
    allocationMode,
    count,
    adminAccess: "Whether it looks after devices that others use. Only in namespaces that are labelled for it.",
    tolerations,
    capacity,
  },
  DeviceSubRequest: {
    "": "One of several possibilities.",
    name: "Its name.",
    deviceClassName,
    selectors,
    allocationMode,
    count,
    tolerations,
    capacity,
  },
  DeviceToleration: {
    "": "Taints of devices that are borne.",
    key: "Key of the taint. Empty, with Exists, means all.",
    operator: "Equal or Exists. Equal by default.",
    value: "Value of the taint.",
    effect: "Effect of the taint. Empty means all.",
    tolerationSeconds: "Seconds that NoExecute is borne. For ever by default.",
  },
  CapacityRequirements: { "": "How much of a device's capacity is needed.", requests: "How much, by name." },
  DeviceConstraint: {
    "": "What devices must have in common.",
    requests,
    matchAttribute: "Attribute that must be the same in all.",
    distinctAttribute: "Attribute that must be different in all.",
  },
  DeviceClaimConfiguration: { "": "Settings of devices.", requests, opaque },
  ResourceClaimStatus: {
    "": "What a claim was given.",
    allocation: "The devices. Set once they are given.",
    reservedFor: "Who uses it now. At most 256.",
    devices: "What drivers say of the devices.",
  },
  AllocationResult: {
    "": "What a claim was given.",
    devices: "The devices.",
    nodeSelector: "Nodes that can use them.",
    allocationTimestamp: "When they were given.",
  },
  DeviceAllocationResult: { "": "Devices that were given.", results: "Each device.", config: "Settings, of the class and of the claim." },
  DeviceRequestAllocationResult: {
    "": "A device that was given.",
    request: "The request that it is for.",
    driver,
    pool,
    device,
    adminAccess: "Whether it is given for looking after it.",
    tolerations,
    bindingConditions,
    bindingFailureConditions,
    shareID: "Which share of the device it is.",
    consumedCapacity: "How much of the device's capacity is used.",
  },
  DeviceAllocationConfiguration: { "": "Settings of given devices.", source: "FromClass or FromClaim.", requests, opaque },
  ResourceClaimConsumerReference: {
    "": "Who uses a claim.",
    apiGroup: "Group of its resource. Empty is the core group.",
    resource: "Its resource, such as pods.",
    name: "Its name.",
    uid: "Its UID.",
  },
  AllocatedDeviceStatus: {
    "": "What a driver says of a device.",
    driver,
    pool,
    device,
    shareID: "Which share of the device it is.",
    conditions: "State of the device.",
    data: "What the driver says beside.",
    networkData: "Of network devices.",
  },
  NetworkDeviceData: {
    "": "Of a network device.",
    interfaceName: "Name of the interface in the Pod.",
    ips: "Its addresses, with their prefixes.",
    hardwareAddress: "Its hardware address.",
  },
  ResourceClaimTemplate: { "": "A template of claims that are made for Pods.", spec: "The claims." },
  ResourceClaimTemplateSpec: {
    "": "What claims made from a template are like: metadata has their labels and annotations.",
    spec: "What is asked for.",
  },
  ResourceSlice: { "": "Devices that a driver has, in one pool." },
  ResourceSliceSpec: {
    "": "Devices of a driver.",
    driver,
    pool: "The pool.",
    nodeName,
    nodeSelector,
    allNodes,
    devices: "The devices. At most 128.",
    perDeviceNodeSelection: "Whether each device says which nodes have it.",
    sharedCounters: "Counters that devices draw from.",
  },
  ResourcePool: {
    "": "Devices that are told of together.",
    name: "Its name.",
    generation: "Counts its changes: only slices of the highest are valid.",
    resourceSliceCount: "How many slices it has.",
  },
  Device: {
    "": "A device.",
    name: "Its name, unique in the pool.",
    attributes: "What it is, by name.",
    capacity: "What it has, by name.",
    consumesCounters: "What it draws from counters.",
    nodeName,
    nodeSelector,
    allNodes,
    taints: "Taints that keep claims away.",
    bindsToNode: "Whether a claim with it belongs to the node that was chosen.",
    bindingConditions,
    bindingFailureConditions,
    allowMultipleAllocations: "Whether several claims may share it.",
    nodeAllocatableResourceMappings: "Resources of the node that it uses.",
  },
  DeviceAttribute: {
    "": "What a device is: one of these.",
    int: "A whole number.",
    bool: "True or false.",
    string: "A text.",
    version: "A semantic version.",
    ints: "Whole numbers.",
    bools: "Trues and falses.",
    strings: "Texts.",
    versions: "Semantic versions.",
  },
  DeviceCapacity: { "": "What a device has.", value: "How much.", requestPolicy: "How it may be shared out." },
  CapacityRequestPolicy: {
    "": "How capacity may be shared out.",
    default: "What a claim gets that says nothing.",
    validValues: "Amounts that may be asked for.",
    validRange: "Range of what may be asked for.",
  },
  CapacityRequestPolicyRange: {
    "": "A range.",
    min: "The least.",
    max: "The most.",
    step: "Amounts are rounded up to a multiple of this.",
  },
  DeviceCounterConsumption: { "": "What a device draws from counters.", counterSet: "The set.", counters: "How much, by name." },
  CounterSet: { "": "Counters that devices draw from.", name: "Its name.", counters: "How much there is, by name." },
  Counter: { "": "A counter.", value: "How much." },
  DeviceTaint: { "": "Keeps claims away that do not bear it.", ...taint, timeAdded: "When it was added." },
  NodeAllocatableResourceMapping: {
    "": "A resource of the node that a device uses.",
    capacityKey: "Capacity of the device that says how much.",
    allocationMultiplier: "By which it is multiplied.",
  },
};
