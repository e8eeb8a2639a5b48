import { IoError, isIoError } from "../files.ts";

/** The errno name that Node put on `error`, or EUNKNOWN. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "EUNKNOWN";
}

/** Wraps what Node threw; an `IoError` stays itself. The message is `<op> <target>: <code>`. */
export function toIoError(op: string, target: string, error: unknown): IoError {
  if (isIoError(error)) return error;
  const code = errnoOf(error);
  return new IoError(op, code, { cause: error, detail: `${op} ${target}: ${code}` });
}
