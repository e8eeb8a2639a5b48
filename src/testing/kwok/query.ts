/** The part of jq that selectors and delays of KWOK's stages use: `.a.b`, `.["c"]`, `.[]`, `select(.x == "y")`, pipes. */
import { getOwn } from "#apimachinery/maps.ts";

/** Everything that the query finds; null and absent values are not found. */
export type Query = (value: unknown) => unknown[];

type Step = (value: unknown) => unknown[];

const stepPattern = /\s*(?:\.?\[\s*("(?:[^"\\]|\\.)*"|\d*)\s*\]|\.([A-Za-z_][\w-]*)|(\.))/y;
const selectPattern = /^select\(\s*(.+?)\s*(==|!=)\s*("(?:[^"\\]|\\.)*"|true|false|-?\d+)\s*\)$/;

/** Throws for what it does not understand. */
export function compileQuery(text: string): Query {
  const steps = text.split("|").flatMap((part) => stepsOf(part.trim()));
  return (value) => {
    let values: unknown[] = [value];
    for (const step of steps) values = values.flatMap(step);
    return values.filter((each) => each !== undefined && each !== null);
  };
}

function stepsOf(part: string): Step[] {
  const select = selectPattern.exec(part);
  if (select !== null) {
    const [, path = "", operator, literal = ""] = select;
    const query = compileQuery(path);
    const wanted = JSON.parse(literal) as unknown;
    return [(value) => ((query(value)[0] === wanted) === (operator === "==") ? [value] : [])];
  }
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < part.length) {
    const from = stepPattern.lastIndex;
    const match = stepPattern.exec(part);
    if (match === null) throw new Error(`query: unexpected ${JSON.stringify(part.slice(from))}`);
    const [, bracket, name, dot] = match;
    if (dot !== undefined) continue;
    if (bracket === "") steps.push((value) => (Array.isArray(value) ? value : Object.values((value ?? {}) as object)));
    else steps.push(member(name ?? (JSON.parse(bracket ?? "") as string | number)));
  }
  return steps;
}

function member(key: string | number): Step {
  return (value) => {
    if (typeof value !== "object" || value === null) return [];
    return typeof key === "number" ? [(value as unknown[])[key]] : [getOwn(value as Record<string, unknown>, key)];
  };
}
