import type { Docs } from "./docs.ts";

const ports = "Ports that are allowed. Empty means all.";
const apiGroup = "Group of its kind. Empty is the core group.";

/** `k8s.io/api/networking/v1`. */
export const networkingDocs: Docs = {
  IngressClass: { "": "A sort of Ingress, and the controller that serves it." },
  IngressClassSpec: {
    "": "What an IngressClass is.",
    controller: "Name of the controller, such as example.com/ingress. It cannot be changed.",
    parameters: "An object with further settings of the controller.",
  },
  IngressClassParametersReference: {
    "": "An object with settings.",
    apiGroup,
    kind: "Its kind.",
    name: "Its name.",
    scope: "Cluster or Namespace. Cluster by default.",
    namespace: "Its namespace. Needed with Namespace.",
  },
  Ingress: { "": "Routes HTTP requests from outside to Services, by host and path. A controller must be there to serve it." },
  IngressSpec: {
    "": "What is wanted of an Ingress.",
    ingressClassName: "IngressClass that serves it. The default class when absent.",
    defaultBackend: "Where requests go that no rule matches.",
    tls: "Certificates, by host. All on port 443.",
    rules: "Where requests go.",
  },
  IngressBackend: { "": "Where requests go: one of these.", service: "A Service.", resource: "Another object of the namespace." },
  IngressServiceBackend: { "": "A Service.", name: "Its name.", port: "Its port." },
  ServiceBackendPort: { "": "A port of a Service: by name or by number.", name: "Its name.", number: "Its number." },
  IngressTLS: { "": "A certificate.", hosts: "Hosts that it is for.", secretName: "Secret that has it." },
  IngressRule: {
    "": "Where requests of one host go.",
    host: "The host, or *.DOMAIN for one level below. Empty means all.",
  },
  HTTPIngressRuleValue: { "": "Where requests go, by path.", paths: "The paths. The longest that matches decides." },
  HTTPIngressPath: {
    "": "Where requests of one path go.",
    path: "The path. It begins with /.",
    pathType: "Exact, Prefix (by parts between slashes) or ImplementationSpecific.",
    backend: "Where they go.",
  },
  IngressStatus: { "": "What is known of an Ingress.", loadBalancer: "Where requests go in." },
  IngressLoadBalancerStatus: { "": "Where requests go in.", ingress: "The points." },
  IngressLoadBalancerIngress: {
    "": "Where requests go in.",
    ip: "Its address.",
    hostname: "Its name.",
    ports: "What is known of each port.",
  },
  IngressPortStatus: {
    "": "What is known of a port.",
    port: "Number of the port.",
    protocol: "TCP, UDP or SCTP.",
    error: "What went wrong with it, in one word.",
  },
  IPAddress: { "": "An address that is taken. Its name is the address." },
  IPAddressSpec: { "": "Who has an address.", parentRef: "The object that has it." },
  ParentReference: {
    "": "An object.",
    group: "Group of its resource. Empty is the core group.",
    resource: "Its resource.",
    namespace: "Its namespace.",
    name: "Its name.",
  },
  NetworkPolicy: { "": "Which traffic is allowed to and from Pods. The network of the cluster must support it." },
  NetworkPolicySpec: {
    "": "What is allowed.",
    podSelector: "Labels of the Pods that the policy is about. Empty means all of the namespace.",
    ingress: "Traffic that is allowed to them. What several policies allow adds up.",
    egress: "Traffic that is allowed from them. What several policies allow adds up.",
    policyTypes: "Ingress, Egress: which directions are closed but for what is allowed.",
  },
  NetworkPolicyIngressRule: { "": "Traffic that is allowed to Pods.", ports, from: "Where it may come from. Empty means everywhere." },
  NetworkPolicyEgressRule: { "": "Traffic that is allowed from Pods.", ports, to: "Where it may go. Empty means everywhere." },
  NetworkPolicyPort: {
    "": "A port.",
    protocol: "TCP, UDP or SCTP. TCP by default.",
    port: "Its number, or the name of a container port. Absent means all.",
    endPort: "Last number of a range that begins with port.",
  },
  NetworkPolicyPeer: {
    "": "Where traffic comes from or goes to.",
    podSelector: "Labels of Pods: of the policy's namespace, or of those of namespaceSelector.",
    namespaceSelector: "Labels of namespaces. Empty means all.",
    ipBlock: "A range of addresses. Not together with the selectors.",
  },
  IPBlock: { "": "A range of addresses.", cidr: "The range, such as 192.168.1.0/24.", except: "Ranges inside of it that are left out." },
  ServiceCIDR: { "": "Ranges that addresses of Services come from." },
  ServiceCIDRSpec: { "": "Ranges of addresses.", cidrs: "At most one of each family. They cannot be changed." },
  ServiceCIDRStatus: { "": "What is known of the ranges." },
};

/** `k8s.io/api/discovery/v1`. */
export const discoveryDocs: Docs = {
  EndpointSlice: {
    "": "Some of the addresses behind a Service.",
    addressType: "IPv4, IPv6 or FQDN. It cannot be changed.",
    endpoints: "The addresses. At most 1000.",
    ports: "Ports of each. At most 100.",
  },
  Endpoint: {
    "": "One backend.",
    addresses: "Its address. The first is used.",
    conditions: "Whether it can be used.",
    hostname: "Its host name.",
    targetRef: "The object that it belongs to.",
    deprecatedTopology: "No longer used.",
    nodeName: "Node that it is on.",
    zone: "Zone that it is in.",
    hints: "Who should use it.",
  },
  EndpointConditions: {
    "": "Whether a backend can be used.",
    ready: "Whether it takes new traffic. Absent counts as true.",
    serving: "Whether it serves, even while it is ending.",
    terminating: "Whether it is ending.",
  },
  EndpointHints: { "": "Who should use a backend.", forZones: "Clients of these zones.", forNodes: "Clients of these nodes." },
  ForZone: { "": "A zone.", name: "Its name." },
  ForNode: { "": "A node.", name: "Its name." },
  EndpointPort: {
    "": "A port.",
    name: "Name of the port, as in the Service.",
    protocol: "TCP, UDP or SCTP. TCP by default.",
    port: "Its number. Absent means all.",
    appProtocol: "What is spoken on it: a name of IANA's, or one with a prefix.",
  },
};
