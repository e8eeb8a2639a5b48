import type { Command } from "commander";
import type { CommandContext } from "./command.ts";

/** `kubets controller-manager`: the controllers alone, over a kubeconfig. */
export function addControllerManagerCommand(program: Command, context: CommandContext): void {
  void program;
  void context;
}
