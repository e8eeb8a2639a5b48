import type { Command } from "commander";
import type { CommandContext } from "./command.ts";
export function addServerCommand(program: Command, context: CommandContext): void { void program; void context; }
