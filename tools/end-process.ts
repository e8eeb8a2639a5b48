import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Ends a child and waits until it is gone; SIGKILL is what a crash would be. One that has ended is left alone. */
export async function endProcess(child: ChildProcess, signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}
