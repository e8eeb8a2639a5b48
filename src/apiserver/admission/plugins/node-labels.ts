/**
 * Labels of the project's own domains that a kubelet may set. Source:
 * kubelet/pkg/apis/well_known_labels.go.
 */
const allowed = new Set([
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "kubernetes.io/arch",
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
]);
const allowedNamespaces = ["kubelet.kubernetes.io", "node.kubernetes.io"];

function namespaceOf(label: string): string {
  const slash = label.indexOf("/");
  return slash < 0 ? "" : label.slice(0, slash);
}

function isUnder(namespace: string, domain: string): boolean {
  return namespace === domain || namespace.endsWith(`.${domain}`);
}

function isForbidden(label: string): boolean {
  const namespace = namespaceOf(label);
  if (isUnder(namespace, "node-restriction.kubernetes.io")) return true;
  if (!isUnder(namespace, "kubernetes.io") && !isUnder(namespace, "k8s.io")) return false;
  return !allowed.has(label) && !allowedNamespaces.some((domain) => isUnder(namespace, domain));
}

type Labels = Readonly<Record<string, string>>;

/** Changed labels that a node may not change on itself, sorted. */
export function forbiddenNodeLabels(now: Labels, before: Labels): string[] {
  const changed = new Set(
    [...Object.keys(now), ...Object.keys(before)].filter((key) => now[key] !== before[key]),
  );
  return [...changed].filter(isForbidden).sort();
}
