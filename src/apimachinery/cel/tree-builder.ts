import type { Call, Expr, ListExpr, MapEntry, StructField } from "./ast.ts";
import type { CelValue } from "./value.ts";

/** Makes tree nodes with fresh ids; shared by the parser and the macros. */
export interface TreeBuilder {
  literal(offset: number, value: CelValue): Expr;
  ident(offset: number, name: string): Expr;
  select(offset: number, operand: Expr, field: string): Expr;
  presenceTest(offset: number, operand: Expr, field: string): Expr;
  call(offset: number, name: string, args: readonly Expr[]): Expr;
  memberCall(offset: number, name: string, parts: { target: Expr; args: readonly Expr[] }): Expr;
  list(offset: number, elements: readonly Expr[], optionals?: ReadonlySet<number>): Expr;
  map(offset: number, entries: readonly MapEntry[]): Expr;
  struct(offset: number, typeName: string, fields: readonly StructField[]): Expr;
  comprehension(offset: number, parts: ComprehensionParts): Expr;
  unspecified(offset: number): Expr;
  nextId(): number;
  /** The same tree again under fresh ids. */
  copy(expr: Expr): Expr;
}

export interface ComprehensionParts {
  readonly iterRange: Expr;
  readonly iterVar: string;
  readonly iterVar2?: string;
  readonly accuVar: string;
  readonly accuInit: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

const noOptionals: ReadonlySet<number> = new Set();

export function createTreeBuilder(): TreeBuilder {
  let lastId = 0;
  const nextId = (): number => ++lastId;
  const builder: TreeBuilder = {
    nextId,
    literal: (offset, value) => ({ kind: "literal", id: nextId(), offset, depth: 0, value }),
    ident: (offset, name) => ({ kind: "ident", id: nextId(), offset, depth: 0, name }),
    select: (offset, operand, field) => {
      const depth = operand.depth + 1;
      return { kind: "select", id: nextId(), offset, depth, operand, field, testOnly: false };
    },
    presenceTest: (offset, operand, field) => {
      const depth = operand.depth + 1;
      return { kind: "select", id: nextId(), offset, depth, operand, field, testOnly: true };
    },
    call: (offset, name, args) => {
      return { kind: "call", id: nextId(), offset, depth: depthOver(args) + 1, name, args };
    },
    memberCall: (offset, name, { target, args }) => {
      const depth = Math.max(target.depth, depthOver(args)) + 1;
      return { kind: "call", id: nextId(), offset, depth, name, target, args };
    },
    list: (offset, elements, optionals = noOptionals) => {
      return {
        kind: "list",
        id: nextId(),
        offset,
        depth: depthOver(elements),
        elements,
        optionals,
      };
    },
    map: (offset, entries) => {
      const depth = depthOver(entries.flatMap((entry) => [entry.key, entry.value]));
      return { kind: "map", id: nextId(), offset, depth, entries };
    },
    struct: (offset, typeName, fields) => {
      const depth = depthOver(fields.map((field) => field.value));
      return { kind: "struct", id: nextId(), offset, depth, typeName, fields };
    },
    comprehension: (offset, { iterVar2 = "", ...parts }) => {
      const { iterRange, accuInit, condition, step, result } = parts;
      const depth = depthOver([iterRange, accuInit, condition, step, result]);
      return { kind: "comprehension", id: nextId(), offset, depth, iterVar2, ...parts };
    },
    unspecified: (offset) => ({ kind: "unspecified", id: nextId(), offset, depth: 0 }),
    copy: (expr) => copyTree(expr, nextId),
  };
  return builder;
}

function depthOver(parts: readonly Expr[]): number {
  let depth = 0;
  for (const part of parts) if (part.depth > depth) depth = part.depth;
  return depth;
}

function copyTree(expr: Expr, nextId: () => number): Expr {
  const copy = (part: Expr): Expr => copyTree(part, nextId);
  const id = nextId();
  switch (expr.kind) {
    case "literal":
    case "ident":
    case "unspecified":
      return { ...expr, id };
    case "select":
      return { ...expr, id, operand: copy(expr.operand) };
    case "call":
      return copyCall(expr, { id, copy });
    case "list":
      return { ...expr, id, elements: expr.elements.map(copy) } satisfies ListExpr;
    case "map":
      return {
        ...expr,
        id,
        entries: expr.entries.map((entry) => ({
          ...entry,
          id: nextId(),
          key: copy(entry.key),
          value: copy(entry.value),
        })),
      };
    case "struct":
      return {
        ...expr,
        id,
        fields: expr.fields.map((field) => ({ ...field, id: nextId(), value: copy(field.value) })),
      };
    case "comprehension":
      return {
        ...expr,
        id,
        iterRange: copy(expr.iterRange),
        accuInit: copy(expr.accuInit),
        condition: copy(expr.condition),
        step: copy(expr.step),
        result: copy(expr.result),
      };
  }
}

function copyCall(expr: Call, { id, copy }: { id: number; copy: (e: Expr) => Expr }): Call {
  const args = expr.args.map(copy);
  return expr.target === undefined
    ? { ...expr, id, args }
    : { ...expr, id, args, target: copy(expr.target) };
}
