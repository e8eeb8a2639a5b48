import { checkDnsLabel, checkDnsSubdomain } from "#apimachinery/validation/names.ts";

const nodePrefix = "system:node:";
const serviceAccountPrefix = "system:serviceaccount:";

/** The node that a user name stands for. */
export function nodeOfUser(name: string): string | undefined {
  if (!name.startsWith(nodePrefix)) return undefined;
  const node = name.slice(nodePrefix.length);
  return checkDnsSubdomain(node).length === 0 ? node : undefined;
}

/** The service account that a user name stands for. */
export function serviceAccountOfUser(name: string): { namespace: string; name: string } | undefined {
  if (!name.startsWith(serviceAccountPrefix)) return undefined;
  const parts = name.slice(serviceAccountPrefix.length).split(":");
  const [namespace = "", account = ""] = parts;
  return parts.length === 2 &&
    checkDnsLabel(namespace).length === 0 &&
    checkDnsSubdomain(account).length === 0
    ? { namespace, name: account }
    : undefined;
}
