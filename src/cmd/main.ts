import { errorMessage } from "#base/error-message.ts";
import { join } from "node:path";
import { Command } from "commander";
import { hostName } from "#base/os/host.ts";
import { openWorld } from "#base/os/world.ts";
import { openLogger } from "#base/os/logger.ts";
import type { CommandContext } from "./command.ts";

const context: CommandContext = {
  openWorld(verbosity) {
    return openWorld({ log: openLogger({ verbosity, fd: 2 }) });
  },
  environment: process.env,
  isRoot: process.getuid?.() === 0,
  platform: process.platform,
  pid: process.pid,
  hostName: hostName(),
  executable: process.execPath,
  executableOptions: process.execArgv,
  entryPoint: import.meta.filename,
  exit: (code) => process.exit(code),
  signal: (pid, signal) => void process.kill(pid, signal),
  onStop(run) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, run);
  },
  print: (line) => void process.stdout.write(`${line}\n`),
  replaceBy: (command, args) => process.execve?.(command, [command, ...args], process.env as Record<string, string>),
};

// A reader such as `head` may leave early.
process.stdout.on("error", () => process.exit(0));

/** Where each command is. Only what is asked for is loaded; help needs all. */
const modules: readonly CommandModule[] = [
  { names: ["up"], load: async () => (await import("./up-command.ts")).addUpCommand },
  { names: ["server"], load: async () => (await import("./server-command.ts")).addServerCommand },
  { names: ["apiserver"], load: async () => (await import("./apiserver-command.ts")).addApiServerCommand },
  {
    names: ["controller-manager", "scheduler", "kubelet", "proxy", "dns", "node"],
    load: async () => (await import("./component-commands.ts")).addComponentCommands,
  },
  { names: ["etcd"], load: async () => (await import("./etcd-command.ts")).addEtcdCommand },
  { names: ["store"], load: async () => (await import("./store-command.ts")).addStoreCommand },
  { names: ["snapshot"], load: async () => (await import("./snapshot-command.ts")).addSnapshotCommand },
  {
    names: ["down", "status", "logs", "kubectl", "image"],
    load: async () => (await import("./cluster-commands.ts")).addClusterCommands,
  },
  { names: ["why"], load: async () => (await import("./why/why-command.ts")).addWhyCommand },
];

interface CommandModule {
  readonly names: readonly string[];
  load(): Promise<(program: Command, context: CommandContext) => void>;
}

const program = new Command("kubets")
  .description("Kubernetes, whole, in TypeScript")
  .enablePositionalOptions()
  .showHelpAfterError();
program
  .command("version")
  .description("prints the version")
  .action(() => printVersion());

async function printVersion(): Promise<void> {
  const { kubernetesVersion } = await import("#apiserver/http/version.ts");
  const manifest = await context.openWorld(0).files.readText(join(context.entryPoint, "../../../package.json"));
  const { version } = JSON.parse(manifest) as { readonly version: string };
  context.print(`kubets ${version}, Kubernetes ${kubernetesVersion.gitVersion}`);
}

const [, , name = ""] = process.argv;
const wanted = modules.filter(({ names }) => names.includes(name));
const loaded = wanted.length > 0 || name === "version" ? wanted : modules;
for (const add of await Promise.all(loaded.map(({ load }) => load()))) add(program, context);

await program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`kubets: ${errorMessage(error)}\n`);
  process.exit(1);
});
