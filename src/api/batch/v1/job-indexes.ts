/** Sets of completion indexes as text: `1,3-5`. Source: pkg/apis/batch/validation. */
export class JobIndexesError extends Error {
  override readonly name = "JobIndexesError";
}

/** How many indexes the text names. Throws a JobIndexesError with upstream's text. */
export function countIndexes(text: string, completions: number): number {
  if (text === "") return 0;
  let count = 0;
  let previous: number | undefined;
  for (const interval of text.split(",")) {
    const limits = interval.split("-");
    if (limits.length > 2) {
      throw new JobIndexesError(
        `the fragment ${JSON.stringify(interval)} violates the requirement that an index ` +
          "interval can have at most two parts separated by '-'",
      );
    }
    const [first, last = first] = limits.map((limit) => indexOf(limit, completions));
    if (first === undefined || last === undefined) continue;
    if (previous !== undefined && previous >= first) throw notIncreasing(previous, first);
    if (limits.length === 2 && first >= last) throw notIncreasing(first, last);
    count += last - first + 1;
    previous = last;
  }
  return count;
}

function indexOf(text: string, completions: number): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new JobIndexesError(`cannot convert string to integer for index: ${JSON.stringify(text)}`);
  }
  const index = Number(text);
  if (index >= completions) throw new JobIndexesError(`too large index: ${JSON.stringify(text)}`);
  return index;
}

function notIncreasing(previous: number, current: number): JobIndexesError {
  return new JobIndexesError(`non-increasing order, previous: ${previous}, current: ${current}`);
}
