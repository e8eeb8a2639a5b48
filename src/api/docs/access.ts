import type { Docs } from "./docs.ts";

const audiences = "Who the token is meant for.";
const user = "Name of the user.";
const uid = "UID of the user.";
const groups = "Groups of the user.";
const extra = "What authentication says of the user beside.";
const evaluationError = "What went wrong on the way to the answer; the answer holds all the same.";
const resourceAttributes = "A request for a resource. Either this or nonResourceAttributes.";
const nonResourceAttributes = "A request for a path that is no resource. Either this or resourceAttributes.";
const rawSelector = "The selector as text, as it stands in a request.";
const requirements = "The selector in parts.";
const status = "The answer.";

/** `k8s.io/api/authentication/v1`. */
export const authenticationDocs: Docs = {
  TokenRequest: {
    "": "Asks for a token of a ServiceAccount. Posted to its token subresource.",
    spec: "What is asked for.",
    status: "The token.",
  },
  TokenRequestSpec: {
    "": "What is asked for.",
    audiences,
    expirationSeconds: "Seconds that it should be valid. The answer may say otherwise. 3600 by default.",
    boundObjectRef: "An object whose end is the end of the token.",
  },
  BoundObjectReference: {
    "": "An object that a token is bound to.",
    kind: "Pod, Secret or Node.",
    apiVersion: "Version of its API.",
    name: "Its name.",
    uid: "Its UID.",
  },
  TokenRequestStatus: { "": "A token.", token: "The token itself.", expirationTimestamp: "When it ends." },
  SelfSubjectReview: { "": "Asks who the asker is to the server.", status },
  SelfSubjectReviewStatus: { "": "Who the asker is.", userInfo: "The user." },
  UserInfo: { "": "A user, as authentication found it.", username: user, uid, groups, extra },
  TokenReview: { "": "Asks whose a token is.", spec: "The token.", status },
  TokenReviewSpec: {
    "": "A token to be looked at.",
    token: "The token itself.",
    audiences: "Who it must be meant for. The API server by default.",
  },
  TokenReviewStatus: {
    "": "Whose a token is.",
    authenticated: "Whether it is valid.",
    user: "Whose it is.",
    audiences: "Who it is meant for, of those asked about.",
    error: "Why it could not be checked.",
  },
};

/** `k8s.io/api/authorization/v1`. */
export const authorizationDocs: Docs = {
  LocalSubjectAccessReview: { "": "Asks whether a user may do something in one namespace.", spec: "The question.", status },
  SubjectAccessReview: { "": "Asks whether a user may do something.", spec: "The question.", status },
  SelfSubjectAccessReview: { "": "Asks whether the asker may do something.", spec: "The question.", status },
  SelfSubjectRulesReview: {
    "": "Asks what the asker may do in a namespace. For people to see, not to decide by.",
    spec: "The question.",
    status,
  },
  SubjectAccessReviewSpec: { "": "Whether a user may do something.", resourceAttributes, nonResourceAttributes, user, groups, extra, uid },
  SelfSubjectAccessReviewSpec: { "": "Whether the asker may do something.", resourceAttributes, nonResourceAttributes },
  SelfSubjectRulesReviewSpec: { "": "Where.", namespace: "The namespace." },
  ResourceAttributes: {
    "": "A request for a resource.",
    namespace: "Its namespace. Empty means none, or all.",
    verb: "get, list, watch, create, update, patch, delete, deletecollection, or * for all.",
    group: "Group of the resource, or *.",
    version: "Version of the resource, or *.",
    resource: "The resource, or *.",
    subresource: "The subresource. Empty means the resource itself.",
    name: "Name of the object. Empty means all.",
    fieldSelector: "Fields that the request is limited to.",
    labelSelector: "Labels that the request is limited to.",
  },
  FieldSelectorAttributes: { "": "Fields that a request is limited to. Only one of the two.", rawSelector, requirements },
  LabelSelectorAttributes: { "": "Labels that a request is limited to. Only one of the two.", rawSelector, requirements },
  NonResourceAttributes: { "": "A request for a path.", path: "The path.", verb: "The HTTP method, in small letters." },
  SubjectAccessReviewStatus: {
    "": "Whether it is allowed.",
    allowed: "Whether it is.",
    denied: "Whether it is forbidden outright: no other authorizer is asked.",
    reason: "Why.",
    evaluationError,
  },
  SubjectRulesReviewStatus: {
    "": "What is allowed.",
    resourceRules: "On resources, in no order.",
    nonResourceRules: "On paths, in no order.",
    incomplete: "Whether some authorizer could not list its rules.",
    evaluationError,
  },
  ResourceRule: {
    "": "Verbs on resources.",
    verbs: "The verbs. * means all.",
    apiGroups: "Groups of the resources. * means all.",
    resources: "The resources. * means all, RESOURCE/SUBRESOURCE one subresource.",
    resourceNames: "Names of the objects. Empty means all.",
  },
  NonResourceRule: { "": "Verbs on paths.", verbs: "The verbs. * means all.", nonResourceURLs: "The paths. * may be the last part." },
};

const roleRef = "The role that is granted. It cannot be changed.";
const subjects = "Who gets the role.";
const rules = "What the role allows.";

/** `k8s.io/api/rbac/v1`. */
export const rbacDocs: Docs = {
  ClusterRole: {
    "": "A set of permissions for the whole cluster, or for namespaces by RoleBindings.",
    rules,
    aggregationRule: "Collects the rules of other roles. A controller writes them.",
  },
  Role: { "": "A set of permissions in one namespace.", rules },
  ClusterRoleBinding: { "": "Grants a ClusterRole in the whole cluster.", subjects, roleRef },
  RoleBinding: { "": "Grants a Role or ClusterRole in one namespace.", subjects, roleRef },
  Subject: {
    "": "Who gets a role.",
    kind: "User, Group or ServiceAccount.",
    apiGroup: "Group of the kind: empty for ServiceAccounts, else rbac.authorization.k8s.io.",
    name: "Name of the subject.",
    namespace: "Namespace of a ServiceAccount.",
  },
  RoleRef: { "": "Names a role.", apiGroup: "rbac.authorization.k8s.io.", kind: "Role or ClusterRole.", name: "Its name." },
  PolicyRule: {
    "": "Verbs on resources or paths.",
    verbs: "The verbs. * means all.",
    apiGroups: "Groups of the resources: empty is the core group, * means all.",
    resources: "The resources. * means all, RESOURCE/SUBRESOURCE one subresource.",
    resourceNames: "Names of the objects. Empty means all.",
    nonResourceURLs: "Paths that are no resources. Only in ClusterRoles granted by ClusterRoleBindings.",
  },
  AggregationRule: {
    "": "Collects the rules of other roles.",
    clusterRoleSelectors: "Labels of the ClusterRoles. One selector that matches is enough.",
  },
};

/** `k8s.io/api/certificates/v1`. */
export const certificatesDocs: Docs = {
  CertificateSigningRequest: { "": "Asks a signer for a certificate. Somebody must approve it first." },
  CertificateSigningRequestSpec: {
    "": "What is asked for. It cannot be changed.",
    request: "The request as PEM: CERTIFICATE REQUEST.",
    signerName: "Who is to sign, such as kubernetes.io/kube-apiserver-client.",
    expirationSeconds: "Seconds that it should be valid, at least 600. The signer may decide otherwise.",
    usages: "What the key is used for, such as client auth.",
    username: "Who asks. The server sets it.",
    uid: "UID of who asks. The server sets it.",
    groups: "Groups of who asks. The server sets them.",
    extra: "What authentication says of who asks beside. The server sets it.",
  },
  CertificateSigningRequestStatus: {
    "": "What became of a request.",
    conditions: "Approved, Denied or Failed. None can be taken away.",
    certificate: "The certificate as PEM, with those that lead to the signer's root.",
  },
  CertificateSigningRequestCondition: { type: "Approved, Denied or Failed." },
};
