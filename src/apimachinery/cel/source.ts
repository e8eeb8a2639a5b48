/** One problem found while parsing or checking. `offset` counts UTF-16 units; -1 = no location. */
export interface Issue {
  readonly offset: number;
  readonly message: string;
}

/**
 * Longest source line that is quoted under an error, in characters. Source: cel-go common/error.go.
 */
const snippetCharsMax = 16384;

/** Most errors that one message lists. Source: cel-go common/errors.go. */
const issuesMax = 100;

interface Location {
  /** From 1; -1 = none. */
  readonly line: number;
  /** Code points before it on its line. */
  readonly column: number;
}

/** Line and column of an offset. */
function locate(text: string, offset: number): Location {
  if (offset < 0) return { line: -1, column: -1 };
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: codePoints(text.slice(lineStart, offset)) };
}

/**
 * Prints issues as cel-go does: sorted by place, each `ERROR: <name>:1:5: message` followed by the
 * source line and a caret below it.
 */
export function formatIssues(text: string, issues: readonly Issue[], name = "<input>"): string {
  const located = issues
    .slice(0, issuesMax)
    .map((issue) => ({ issue, at: locate(text, issue.offset) }))
    .sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  const lines = text.split("\n");
  const printed = located.map(({ issue, at }) => {
    const head = `ERROR: ${name}:${at.line}:${at.column + 1}: ${issue.message}`;
    return head + snippet(lines[at.line - 1], at.column);
  });
  if (issues.length > issuesMax) {
    printed.push(`${issues.length - issuesMax} more errors were truncated`);
  }
  return printed.join("\n");
}

function snippet(line: string | undefined, column: number): string {
  if (line === undefined || line.length > snippetCharsMax) return "";
  const shown = line.replaceAll("\t", " ");
  const characters = Array.from(shown);
  let indicator = "";
  for (const character of characters.slice(0, column)) {
    indicator += isWide(character) ? "\uff0e" : ".";
  }
  const at = characters[column];
  indicator += at !== undefined && isWide(at) ? "\uff3e" : "^";
  return `\n | ${shown}\n | ${indicator}`;
}

function isWide(character: string): boolean {
  return character.charCodeAt(0) > 0x7f;
}

/** The last long text that was counted: loops ask for the size of the same text again and again. */
const counted = { text: "", points: 0 };
const shortText = 256;

/** Number of code points of a string; surrogate pairs count once. */
export function codePoints(text: string): number {
  if (text.length <= shortText) return countPoints(text);
  if (text !== counted.text) {
    counted.points = countPoints(text);
    counted.text = text;
  }
  return counted.points;
}

function countPoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        count--;
        i++;
      }
    }
  }
  return count;
}
