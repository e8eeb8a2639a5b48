/** Fills in text of Go's text/template; see `go-template-parse.ts` for how much of it. */
import { getOwn } from "#apimachinery/maps.ts";
import { type Body, type Expression, parseTemplate, type TemplateNode } from "./go-template-parse.ts";

export type TemplateFunction = (...args: unknown[]) => unknown;

export interface Template {
  /** Throws for functions that nobody knows. */
  fill(dot: unknown, functions: Readonly<Record<string, TemplateFunction>>): string;
}

/** Steps of one filling: templates may call themselves. */
const depthMax = 100;

export function compileTemplate(text: string): Template {
  const body = parseTemplate(text);
  return {
    fill(dot, functions) {
      const run: Run = { out: [], functions, named: new Map(), depth: 0 };
      render(body, { dot, variables: new Map([["", { value: dot }]]) }, run);
      return run.out.join("");
    },
  };
}

interface Run {
  readonly out: string[];
  readonly functions: Readonly<Record<string, TemplateFunction>>;
  readonly named: Map<string, Body>;
  depth: number;
}

interface Scope {
  readonly dot: unknown;
  readonly variables: ReadonlyMap<string, { value: unknown }>;
}

/** What a loop is left by; undefined: nothing. */
type Leaving = "break" | "continue" | undefined;

function render(body: Body, outer: Scope, run: Run): Leaving {
  let scope = outer;
  for (const node of body) {
    if (node.is === "set") scope = assign(node, scope, run);
    else {
      const leaving = renderNode(node, scope, run);
      if (leaving !== undefined) return leaving;
    }
  }
  return undefined;
}

function assign(node: Extract<TemplateNode, { is: "set" }>, scope: Scope, run: Run): Scope {
  const value = evaluate(node.value, scope, run);
  const known = scope.variables.get(node.name);
  if (!node.declares && known !== undefined) {
    known.value = value;
    return scope;
  }
  return { ...scope, variables: new Map(scope.variables).set(node.name, { value }) };
}

function renderNode(node: Exclude<TemplateNode, { is: "set" }>, scope: Scope, run: Run): Leaving {
  switch (node.is) {
    case "text":
      run.out.push(node.text);
      return undefined;
    case "print":
      run.out.push(printed(evaluate(node.value, scope, run)));
      return undefined;
    case "define":
      run.named.set(node.name, node.body);
      return undefined;
    case "template":
      return renderNamed(node, scope, run);
    case "range":
      return renderRange(node, scope, run);
    case "if":
    case "with": {
      const value = evaluate(node.value, scope, run);
      if (!isTrue(value)) return render(node.otherwise, scope, run);
      return render(node.body, node.is === "with" ? { ...scope, dot: value } : scope, run);
    }
    default:
      return node.is;
  }
}

function renderNamed(node: Extract<TemplateNode, { is: "template" }>, scope: Scope, run: Run): Leaving {
  const body = run.named.get(node.name);
  if (body === undefined) throw new Error(`template: no template ${JSON.stringify(node.name)}`);
  if (++run.depth > depthMax) throw new Error("template: nested too deep");
  const dot = node.value && evaluate(node.value, scope, run);
  render(body, { dot, variables: new Map([["", { value: dot }]]) }, run);
  run.depth--;
  return undefined;
}

function renderRange(node: Extract<TemplateNode, { is: "range" }>, scope: Scope, run: Run): Leaving {
  const entries = entriesOf(evaluate(node.value, scope, run));
  if (entries.length === 0) return render(node.otherwise, scope, run);
  for (const [key, value] of entries) {
    const variables = new Map(scope.variables);
    const [first, second] = node.names;
    if (second !== undefined) variables.set(first ?? "", { value: key }).set(second, { value });
    else if (first !== undefined) variables.set(first, { value });
    if (render(node.body, { dot: value, variables }, run) === "break") break;
  }
  return undefined;
}

function entriesOf(value: unknown): (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return value.map((item: unknown, i) => [i, item] as const);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function evaluate(expression: Expression, scope: Scope, run: Run): unknown {
  switch (expression.is) {
    case "literal":
      return expression.value;
    case "dot":
      return fieldsOf(scope.dot, expression.fields);
    case "variable": {
      const known = scope.variables.get(expression.name);
      if (known === undefined) throw new Error(`template: undefined variable "$${expression.name}"`);
      return fieldsOf(known.value, expression.fields);
    }
    case "fields":
      return fieldsOf(evaluate(expression.of, scope, run), expression.fields);
    case "call": {
      const call = getOwn(run.functions, expression.name) ?? getOwn(builtins, expression.name);
      if (call === undefined) throw new Error(`template: function ${JSON.stringify(expression.name)} not defined`);
      return call(...expression.args.map((arg) => evaluate(arg, scope, run)));
    }
  }
}

function fieldsOf(value: unknown, fields: readonly string[]): unknown {
  let current = value;
  for (const field of fields) {
    if (typeof current !== "object" || current === null) return undefined;
    current = getOwn(current as Record<string, unknown>, field);
  }
  return current;
}

function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function printed(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : printed(value);
}

/** Go's own, and those of sprig that KWOK's stages use. */
const builtins: Readonly<Record<string, TemplateFunction>> = {
  or: (...args) => args.find(isTrue) ?? args.at(-1),
  and: (...args) => (args.every(isTrue) ? args.at(-1) : args.find((arg) => !isTrue(arg))),
  not: (arg) => !isTrue(arg),
  eq: (first, ...others) => others.some((other) => other === first),
  ne: (a, b) => a !== b,
  lt: (a, b) => Number(a) < Number(b),
  gt: (a, b) => Number(a) > Number(b),
  len: (value) => (typeof value === "string" ? Buffer.byteLength(value) : entriesOf(value).length),
  index: (value, ...keys) => keys.reduce((at, key) => entriesOf(at).find(([each]) => each === key)?.[1], value),
  print: (...args) => args.map(text).join(""),
  printf: (format, ...args) => {
    let at = 0;
    return String(format).replaceAll(/%[sdvq]/g, (verb) => (verb === "%q" ? JSON.stringify(text(args[at++])) : text(args[at++])));
  },
  dict: (...pairs) => Object.fromEntries(pairs.flatMap((key, i) => (i % 2 === 0 ? [[String(key), pairs[i + 1]]] : []))),
  default: (fallback, value) => (isTrue(value) ? value : fallback),
  add: (...args) => args.reduce<number>((sum, arg) => sum + Number(arg), 0),
  add1: (arg) => Number(arg) + 1,
  Quote: (value) => JSON.stringify(text(value)),
  /** JSON is YAML; the indent is in steps of two. */
  YAML: (value, indent = 0) => `${"  ".repeat(Number(indent))}${JSON.stringify(value)}`,
};
