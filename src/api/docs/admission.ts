import type { Docs } from "./docs.ts";

const expression = "The expression in CEL.";
const failurePolicy = "What happens when it cannot be evaluated: Fail refuses the request, Ignore goes on. Fail by default.";
const matchPolicy =
  "Exact looks at requests just as the rules say, Equivalent at the same objects in other versions too. Equivalent by default.";
const namespaceSelector = "Labels of the namespaces. Empty means all.";
const objectSelector = "Labels of the objects. Empty means all.";
const matchConditions = "Expressions in CEL that must all be true. At most 64.";
const paramKind = "Kind of the objects with its parameters.";
const matchConstraints = "Which requests it is about.";
const variables = "Expressions that the others can use as variables.NAME.";
const reinvocationPolicy = "Never, or IfNeeded: whether it is asked again after others have changed the object.";
const policyName = "Name of the policy.";
const paramRef = "The objects with parameters.";
const matchResources = "Narrows down which requests the policy is about.";

const webhook = {
  name: "Name of the webhook, qualified by a domain.",
  clientConfig: "Where it is.",
  rules: "Which requests it is asked about. One rule that matches is enough.",
  failurePolicy: "What happens when it cannot be asked: Fail refuses the request, Ignore goes on. Fail by default.",
  matchPolicy,
  namespaceSelector,
  objectSelector,
  sideEffects: "None, or NoneOnDryRun: whether asking changes anything elsewhere.",
  timeoutSeconds: "Seconds that it has to answer, 1 to 30. 10 by default.",
  admissionReviewVersions: "Versions of AdmissionReview that it knows, the best first.",
  matchConditions,
};

const clientConfig = {
  "": "Where a webhook is: by URL or by Service.",
  url: "Its URL. https only.",
  service: "Its Service.",
  caBundle: "Certificates that its own is checked with, as PEM. The system's by default.",
};

const service = {
  "": "A Service.",
  namespace: "Its namespace.",
  name: "Its name.",
  path: "Path of the requests.",
  port: "Its port. 443 by default.",
};

/** `k8s.io/api/admissionregistration/v1`. */
export const admissionregistrationDocs: Docs = {
  MutatingAdmissionPolicy: { "": "Changes requests as expressions in CEL say, once a binding uses it." },
  MutatingAdmissionPolicySpec: {
    "": "What a policy changes.",
    paramKind,
    matchConstraints,
    variables,
    mutations: "The changes, one after the other.",
    failurePolicy,
    matchConditions,
    reinvocationPolicy,
  },
  Mutation: {
    "": "A change.",
    patchType: "ApplyConfiguration or JSONPatch: which of the other fields is set.",
    applyConfiguration: "A change as in server-side apply.",
    jsonPatch: "A change as a JSON patch.",
  },
  ApplyConfiguration: {
    "": "A change as in server-side apply.",
    expression: "An expression in CEL whose result is merged into the object: Object{...}.",
  },
  JSONPatch: { "": "A change as a JSON patch.", expression: "An expression in CEL whose result is a list of JSONPatch{...}." },
  MutatingAdmissionPolicyBinding: { "": "Puts a policy to use." },
  MutatingAdmissionPolicyBindingSpec: { "": "How a policy is used.", policyName, paramRef, matchResources },
  ValidatingAdmissionPolicy: { "": "Refuses requests as expressions in CEL say, once a binding uses it." },
  ValidatingAdmissionPolicySpec: {
    "": "What a policy refuses.",
    paramKind,
    matchConstraints,
    validations: "What must hold.",
    failurePolicy,
    auditAnnotations: "What is written into the audit log.",
    matchConditions,
    variables,
  },
  ValidatingAdmissionPolicyStatus: { "": "What is known of a policy.", typeChecking: "What was found wrong with its expressions." },
  ValidatingAdmissionPolicyBinding: { "": "Puts a policy to use." },
  ValidatingAdmissionPolicyBindingSpec: {
    "": "How a policy is used.",
    policyName,
    paramRef,
    matchResources,
    validationActions: "Deny, Warn, Audit: what a failure leads to. Not Deny and Warn together.",
  },
  Validation: {
    "": "Something that must hold.",
    expression:
      "An expression in CEL that must be true. It knows object, oldObject, request, params, namespaceObject, variables and authorizer.",
    message: "What is said when it is not.",
    reason: "Unauthorized, Forbidden, Invalid or RequestEntityTooLarge. Invalid by default.",
    messageExpression: "An expression in CEL whose text is said instead of message.",
  },
  AuditAnnotation: {
    "": "Something for the audit log.",
    key: "Its key, after POLICY/.",
    valueExpression: "An expression in CEL with its text, or null for none.",
  },
  TypeChecking: { "": "What was found wrong with expressions.", expressionWarnings: "One for each." },
  ExpressionWarning: {
    "": "What was found wrong with one expression.",
    fieldRef: "Where it stands.",
    warning: "What was found, type by type.",
  },
  ParamKind: { "": "A kind.", apiVersion: "Its group and version.", kind: "Its name." },
  ParamRef: {
    "": "Objects with parameters. Either name or selector is given.",
    name: "Name of the object.",
    namespace: "Its namespace. That of the request by default.",
    selector: "Labels of the objects: the policy is evaluated with each.",
    parameterNotFoundAction: "What happens when there is none: Allow or Deny.",
  },
  MatchResources: {
    "": "Which requests are meant.",
    namespaceSelector,
    objectSelector,
    resourceRules: "Which operations on which resources. One rule that matches is enough.",
    excludeResourceRules: "Which of those are left out.",
    matchPolicy,
  },
  NamedRuleWithOperations: {
    "": "Operations on resources, and on which objects of them.",
    resourceNames: "Names of the objects. Empty means all.",
    operations: "CREATE, UPDATE, DELETE, CONNECT, or * for all.",
    apiGroups: "Groups of the resources. * means all.",
    apiVersions: "Versions of the resources. * means all.",
    resources: "The resources. * means all, RESOURCE/SUBRESOURCE one subresource, */* everything.",
    scope: "Cluster, Namespaced, or * for both. * by default.",
  },
  RuleWithOperations: {
    "": "Operations on resources.",
    operations: "CREATE, UPDATE, DELETE, CONNECT, or * for all.",
    apiGroups: "Groups of the resources. * means all.",
    apiVersions: "Versions of the resources. * means all.",
    resources: "The resources. * means all, RESOURCE/SUBRESOURCE one subresource, */* everything.",
    scope: "Cluster, Namespaced, or * for both. * by default.",
  },
  Variable: { "": "An expression with a name.", name: "Its name.", expression },
  MatchCondition: { "": "An expression that must be true.", name: "Its name.", expression },
  MutatingWebhookConfiguration: { "": "Webhooks that may change requests.", webhooks: "The webhooks." },
  MutatingWebhook: { "": "A webhook that may change requests.", ...webhook, reinvocationPolicy },
  ValidatingWebhookConfiguration: { "": "Webhooks that may refuse requests.", webhooks: "The webhooks." },
  ValidatingWebhook: { "": "A webhook that may refuse requests.", ...webhook },
  WebhookClientConfig: clientConfig,
  ServiceReference: service,
};

const jsonSchema = "As in JSON Schema.";
const notAllowed = "Not allowed in structural schemas.";

/** `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1`. */
export const apiextensionsDocs: Docs = {
  CustomResourceDefinition: { "": "Adds a kind of objects to the API. Its name is PLURAL.GROUP." },
  CustomResourceDefinitionSpec: {
    "": "A kind of objects.",
    group: "Its group. It cannot be changed.",
    names: "Its names.",
    scope: "Namespaced or Cluster. It cannot be changed.",
    versions: "Its versions, one of them with storage.",
    conversion: "How objects are converted between versions. Only apiVersion is changed by default.",
    preserveUnknownFields: "Must be false: unknown fields are dropped, but for x-kubernetes-preserve-unknown-fields.",
  },
  CustomResourceDefinitionNames: {
    "": "Names of a kind.",
    plural: "In paths: small letters.",
    singular: "For one, in small letters. The kind in small letters by default.",
    shortNames: "Short forms, for kubectl.",
    kind: "In objects: CamelCase.",
    listKind: "Of lists. KINDList by default.",
    categories: "Groups of kinds that it is part of, such as all.",
  },
  CustomResourceDefinitionVersion: {
    "": "A version of a kind.",
    name: "Its name, such as v1beta1.",
    served: "Whether it is served.",
    storage: "Whether objects are stored in it.",
    deprecated: "Whether clients are warned.",
    deprecationWarning: "The warning, instead of the usual one.",
    schema: "What objects look like.",
    subresources: "Subresources that it has.",
    additionalPrinterColumns: "Columns that kubectl get shows. The age by default.",
    selectableFields: "Fields that field selectors can name. At most 8.",
  },
  CustomResourceValidation: { "": "What objects look like.", openAPIV3Schema: "The schema." },
  // Fields that are schemas or other types have no words upstream; with some, clients would find the reference elsewhere.
  JSONSchemaProps: {
    "": "A schema: JSON Schema, as far as OpenAPI v3 has it.",
    id: notAllowed,
    $schema: notAllowed,
    $ref: notAllowed,
    description: "What it is, for people: kubectl explain shows it.",
    type: "object, array, string, integer, number or boolean.",
    format: "Form of a text or number, such as date-time or int64. Unknown ones are ignored.",
    title: "A title, for people.",
    default: "Value when there is none.",
    maximum: "The largest number.",
    exclusiveMaximum: "Whether maximum itself is too large.",
    minimum: "The smallest number.",
    exclusiveMinimum: "Whether minimum itself is too small.",
    maxLength: "The most characters.",
    minLength: "The fewest characters.",
    pattern: "A regular expression that texts must match.",
    maxItems: "The most items.",
    minItems: "The fewest items.",
    uniqueItems: "Must be false: use x-kubernetes-list-type.",
    multipleOf: "Numbers must be a multiple of this.",
    enum: "Values that are allowed.",
    maxProperties: "The most properties.",
    minProperties: "The fewest properties.",
    required: "Properties that must be there.",
    allOf: "All of these must hold.",
    oneOf: "Just one of these must hold.",
    anyOf: "At least one of these must hold.",
    properties: "Schemas of the properties.",
    patternProperties: notAllowed,
    dependencies: notAllowed,
    definitions: notAllowed,
    nullable: "Whether null is allowed.",
    "x-kubernetes-preserve-unknown-fields": "Whether unknown fields are kept.",
    "x-kubernetes-embedded-resource": "Whether it is an object with apiVersion, kind and metadata.",
    "x-kubernetes-int-or-string": "Whether it is a whole number or a text.",
    "x-kubernetes-list-map-keys": "Properties that tell items apart. For lists of type map.",
    "x-kubernetes-list-type": "atomic is replaced as a whole, set has each scalar once, map has each key once.",
    "x-kubernetes-map-type": "granular is merged by property, atomic is replaced as a whole.",
    "x-kubernetes-validations": "Rules in CEL.",
  },
  JSON: { "": "Any value." },
  JSONSchemaPropsOrBool: { "": "A schema, or whether anything is allowed." },
  JSONSchemaPropsOrArray: { "": "A schema, or one for each item." },
  JSONSchemaPropsOrStringArray: { "": "A schema, or names of properties." },
  ExternalDocumentation: { "": "Where more is said.", description: "What is there.", url: jsonSchema },
  ValidationRule: {
    "": "A rule in CEL.",
    rule: "An expression that must be true. self is the value, oldSelf the one before.",
    message: "What is said when it is not.",
    messageExpression: "An expression in CEL whose text is said instead of message.",
    reason: "FieldValueInvalid, FieldValueForbidden, FieldValueRequired or FieldValueDuplicate.",
    fieldPath: "The field below that is to blame.",
    optionalOldSelf: "Whether the rule holds at creation too: oldSelf is optional then.",
  },
  CustomResourceSubresources: { "": "Subresources of a kind.", status: "Gives it a status of its own.", scale: "Gives it a scale." },
  CustomResourceSubresourceStatus: { "": "The status: written apart from the rest." },
  CustomResourceSubresourceScale: {
    "": "The scale: how many replicas.",
    specReplicasPath: "Path of the number that is wanted, below .spec.",
    statusReplicasPath: "Path of the number that there is, below .status.",
    labelSelectorPath: "Path of the selector as text. Autoscalers need it.",
  },
  CustomResourceColumnDefinition: {
    "": "A column of a table.",
    name: "Its name.",
    type: "integer, number, string, boolean or date.",
    format: "Form of its values.",
    description: "What it shows.",
    priority: "0 is shown always, above only with -o wide.",
    jsonPath: "Path of its values.",
  },
  SelectableField: { "": "A field that field selectors can name.", jsonPath: "Its path. A string, number or boolean." },
  CustomResourceConversion: {
    "": "How objects are converted between versions.",
    strategy: "None changes apiVersion alone, Webhook asks a webhook.",
    webhook: "The webhook.",
  },
  WebhookConversion: {
    "": "A webhook that converts.",
    clientConfig: "Where it is.",
    conversionReviewVersions: "Versions of ConversionReview that it knows, the best first.",
  },
  WebhookClientConfig: clientConfig,
  ServiceReference: service,
  CustomResourceDefinitionStatus: {
    "": "What became of a definition.",
    acceptedNames: "Names that are in use. Others may have had them first.",
    storedVersions: "Versions that objects may be stored in. None of them can go.",
  },
  CustomResourceDefinitionCondition: {
    type: "Established, NamesAccepted, NonStructuralSchema, Terminating or KubernetesAPIApprovalPolicyConformant.",
  },
};
