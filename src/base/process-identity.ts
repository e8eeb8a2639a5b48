import { type Files, isIoError } from "./files.ts";

/** A process that was started, as it is written down for later programs. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks: tells a reused pid. */
  readonly startTicks: string;
}

/** Start time of a process in clock ticks; undefined when there is none of that pid. Source: proc(5) stat. */
export async function startTicksOf(files: Files, pid: number): Promise<string | undefined> {
  try {
    const stat = await files.readText(`/proc/${pid}/stat`);
    // The command name may hold spaces and brackets; field 22 counts from behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Dead already, and only not yet waited for by its parent.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch (error) {
    if (isIoError(error)) return undefined;
    throw error;
  }
}

/** Whether the process that was written down still runs, and is not another of its pid. */
export async function isRunning(files: Files, { pid, startTicks }: ProcessIdentity): Promise<boolean> {
  return startTicks !== "" && (await startTicksOf(files, pid)) === startTicks;
}
