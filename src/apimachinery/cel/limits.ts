// Source: pkg/apis/cel/config.go, and validation of custom resource definitions where named.

/** Cost that one evaluation may have. */
export const perCallCostMax = 1_000_000;
/** Cost of all rules on one object, or of one binding of an admission policy. */
export const perObjectCostMax = 10_000_000;
/** Milliseconds that all rules on one object may take, or one binding of a policy: cost says little of time. */
export const perObjectMsMax = 2000;
/** Cost of all match conditions of one webhook or binding. */
export const matchConditionsCostMax = 2_500_000;
/** Largest request, which bounds the size of what has no bound of its own. */
export const requestBytesMax = 3 * 1024 * 1024;
/** Longest message that a messageExpression may make. */
export const messageBytesMax = 5 * 1024;
/** Loop iterations between two questions whether evaluation may go on. */
export const iterationsPerCheck = 100;
/** Estimated cost of one rule of a definition: StaticEstimatedCostLimit. */
export const ruleEstimateMax = 10_000_000;
/** Estimated cost of all rules of a definition's version: StaticEstimatedCRDCostLimit. */
export const schemaEstimateMax = 100_000_000;

// Source: k8s.io/api/resource/v1/types.go.

/** Values of all attributes of a device together. */
export const attributeValuesMax = 48;
export const attributeCharsMax = 64;
/** Attributes and capacities of a device. */
export const attributesMax = 32;
export const attributeDomainCharsMax = 63;
export const attributeIdCharsMax = 32;
export const driverNameCharsMax = 63;
/** Cost that one evaluation of a device selector may have, and its estimate. */
export const selectorCostMax = 1_000_000;
