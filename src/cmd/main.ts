import { Command } from "commander";
import { hostName } from "#base/os/host.ts";
import { openWorld } from "#base/os/world.ts";
import { openLogger } from "#base/os/logger.ts";
import { addApiServerCommand } from "./apiserver-command.ts";
import { addClusterCommands } from "./cluster-commands.ts";
import { addComponentCommands } from "./component-commands.ts";
import { addEtcdCommand } from "./etcd-command.ts";
import { addServerCommand } from "./server-command.ts";
import { addStoreCommand } from "./store-command.ts";
import { addUpCommand } from "./up-command.ts";
import { addWhyCommand } from "./why/why-command.ts";
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

const program = new Command("kubets")
  .description("Kubernetes, whole, in TypeScript")
  .enablePositionalOptions()
  .showHelpAfterError();
addUpCommand(program, context);
addServerCommand(program, context);
addApiServerCommand(program, context);
addComponentCommands(program, context);
addEtcdCommand(program, context);
addStoreCommand(program, context);
addClusterCommands(program, context);
addWhyCommand(program, context);

await program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`kubets: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
