/** Structured log lines: a constant message, then key and value pairs (`"pod", "ns/name"`). */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  /** Detail for `--v=4` and above; costs nothing when off. */
  debug(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, error: unknown, fields?: LogFields): void;
  /** A logger whose lines carry `name` (the component). */
  named(name: string): Logger;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Drops everything. */
export const silentLogger: Logger = {
  info() {},
  debug() {},
  warn() {},
  error() {},
  named: () => silentLogger,
};
