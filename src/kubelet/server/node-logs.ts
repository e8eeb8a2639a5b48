import { join } from "node:path";
import type { Kubelet } from "../kubelet.ts";

export interface NodeLog {
  readonly contentType: string;
  readonly content: Uint8Array | string;
}

/**
 * A file of the node's logs, or a directory as Go's file server lists it; undefined when there is
 * none. `path` is what follows `/logs/`. Upstream serves /var/log; of that a node of ours has `pods`.
 */
export async function readNodeLog(
  { services }: Pick<Kubelet, "services">,
  path: readonly string[],
): Promise<NodeLog | undefined> {
  const { directories, world } = services;
  const [top, ...names] = path.filter((name) => name !== "");
  if (top === undefined) return listing(["pods/"]);
  if (top !== "pods" || names.some((name) => name === "." || name === ".." || name.includes("/")))
    return undefined;
  const wanted = join(directories.podLogs, ...names);
  const stat = await world.files.stat(wanted);
  if (stat?.kind === "file")
    return { contentType: "text/plain; charset=utf-8", content: await world.files.read(wanted) };
  if (stat?.kind !== "directory") return undefined;
  const entries = await world.files.list(wanted);
  const stats = await Promise.all(entries.map((name) => world.files.stat(join(wanted, name))));
  return listing(entries.map((name, i) => (stats[i]?.kind === "directory" ? `${name}/` : name)));
}

function listing(names: readonly string[]): NodeLog {
  const links = names.map((name) => `<a href="${encodeURI(name)}">${escaped(name)}</a>\n`);
  return { contentType: "text/html; charset=utf-8", content: `<pre>\n${links.join("")}</pre>\n` };
}

function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
