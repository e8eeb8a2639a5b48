/** A file of the store does not hold what was written to it, or is missing. */
export class StoreDamagedError extends Error {
  override readonly name = "StoreDamagedError";
  readonly path: string;
  readonly offset: number;

  constructor(path: string, offset: number, problem: string) {
    super(`store is damaged: ${path} at offset ${offset}: ${problem}`);
    this.path = path;
    this.offset = offset;
  }
}
