import type { Command } from "commander";
import { join } from "node:path";
import { createHttpClient } from "#base/os/http-client.ts";
import { type CommandContext, dataDirectoryDefault, pathOption } from "../command.ts";
import { readCredentials } from "../remote.ts";
import type { WhyAnswer } from "./why.ts";

interface WhyOptions {
  readonly dataDir: string;
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly output?: string;
}

/** `why pod NAME`: what stands in a Pod's way. */
export function addWhyCommand(program: Command, context: CommandContext): void {
  program
    .command("why")
    .description("tells why a Pod does not run")
    .argument("<kind>", "pod")
    .argument("<name>")
    .option("-n, --namespace <name>", "the Pod's namespace", "default")
    .option("-o, --output <format>", "json: all that is known, with the scheduler's last attempt")
    .option("--data-dir <path>", "the cluster's directory", pathOption, dataDirectoryDefault)
    .option("--kubeconfig <path>", "another cluster of kubets", pathOption)
    .action((kind: string, name: string, options: WhyOptions) => why(context, { kind, name, options }));
}

async function why(
  context: CommandContext,
  { kind, name, options }: { readonly kind: string; readonly name: string; readonly options: WhyOptions },
): Promise<void> {
  if (!["pod", "pods", "po"].includes(kind)) throw new Error(`why: knows of Pods only, not of ${JSON.stringify(kind)}`);
  const world = context.openWorld(0);
  const kubeconfig = options.kubeconfig ?? join(options.dataDir, "kubeconfig");
  const { baseUrl, trust, pair, token } = await readCredentials(world, kubeconfig);
  await using http = createHttpClient({ baseUrl, tls: { ...trust, ...pair }, ...(token !== undefined && { token }) });
  const path = `/debug/why/namespaces/${encodeURIComponent(options.namespace)}/pods/${encodeURIComponent(name)}`;
  const response = await http.request({ method: "GET", path });
  const text = Buffer.from(await response.readAll()).toString("utf8");
  if (response.status !== 200) throw new Error(`the API server answered ${response.status}: ${text.trim()}`);
  if (options.output === "json") return context.print(text.trimEnd());
  const { findings } = JSON.parse(text) as WhyAnswer;
  for (const { sentence } of findings) context.print(sentence);
}
