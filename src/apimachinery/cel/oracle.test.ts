import assert from "node:assert/strict";
import { test } from "node:test";
import { tests as checking } from "@bufbuild/cel-spec/testdata/checking.js";
import { tests as comprehensions } from "@bufbuild/cel-spec/testdata/comprehension.js";
import { tests as parsing } from "@bufbuild/cel-spec/testdata/parsing.js";
import type { Expr } from "./ast.ts";
import { check, type Checked } from "./checker.ts";
import { defineLibrary } from "./declaration.ts";
import { createScope } from "./environment.ts";
import { standardLibrary } from "./library/standard.ts";
import { newStringsLibrary } from "./library/strings.ts";
import { bindMacros, standardMacros } from "./macros.ts";
import { formatDouble } from "./number.ts";
import { parse, type ParseOptions } from "./parser.ts";
import { formatIssues } from "./source.ts";
import {
  boolType,
  bytesType,
  doubleType,
  formatType,
  intType,
  nullType,
  stringType,
  uintType,
} from "./types.ts";
import { CelUint, type CelValue } from "./value.ts";

// What cel-go itself makes of the expressions in its own tests: trees, types, overloads, errors.

type Adorn = (node: Expr | "entry" | "field") => string;

const kinds: Readonly<Record<Expr["kind"], string>> = {
  literal: "",
  ident: "Expr_IdentExpr",
  select: "Expr_SelectExpr",
  call: "Expr_CallExpr",
  list: "Expr_ListExpr",
  map: "Expr_StructExpr",
  struct: "Expr_StructExpr",
  comprehension: "Expr_ComprehensionExpr",
  unspecified: "",
};

function constantKind(value: CelValue): string {
  if (value === null) return "Null";
  if (value instanceof Uint8Array) return "Bytes";
  if (value instanceof CelUint) return "Uint64";
  return { boolean: "Bool", bigint: "Int64", number: "Double", string: "String" }[
    typeof value as "string"
  ];
}

function adornByKind(node: Expr | "entry" | "field"): string {
  if (typeof node === "string") return "^#*expr.Expr_CreateStruct_Entry#";
  if (node.kind === "literal") return `^#*expr.Constant_${constantKind(node.value)}Value#`;
  return `^#*expr.${kinds[node.kind]}#`;
}

function adornByType(checked: Checked): Adorn {
  return (node) => {
    if (typeof node === "string") return "";
    const type = checked.types.get(node.id);
    const reference = checked.references.get(node.id);
    const typeText = type === undefined ? "" : `~${formatType(type)}`;
    if (reference?.kind === "variable") return `${typeText}^${reference.name}`;
    if (reference?.kind === "type") return `${typeText}^${reference.type.name}`;
    if (reference?.kind !== "function") return typeText;
    const ids = reference.overloads.map(({ id }) => id).sort();
    return `${typeText}^${ids.join("|")}`;
  };
}

function quoted(text: string): string {
  return JSON.stringify(text)
    .replaceAll("\\u000b", "\\v")
    .replaceAll("\\u0007", "\\a")
    .replaceAll(/\\u00([01]\w)/g, "\\x$1");
}

function literalText(value: CelValue): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number") return formatDouble(value);
  if (value instanceof CelUint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b${quoted(Buffer.from(value).toString("utf8"))}`;
  return String(value);
}

function block(open: string, items: readonly string[], close: string): string {
  if (items.length === 0) return open + close;
  const body = items.join(",\n").replaceAll("\n", "\n  ");
  return `${open}\n  ${body}\n${close}`;
}

function treeText(expr: Expr, adorn: Adorn): string {
  return nodeText(expr, adorn) + adorn(expr);
}

function nodeText(expr: Expr, adorn: Adorn): string {
  const text = (part: Expr): string => treeText(part, adorn);
  switch (expr.kind) {
    case "literal":
      return literalText(expr.value);
    case "ident":
      return expr.name;
    case "select":
      return `${text(expr.operand)}.${expr.field}${expr.testOnly ? "~test-only~" : ""}`;
    case "call": {
      const target = expr.target === undefined ? "" : `${text(expr.target)}.`;
      return `${target}${block(`${expr.name}(`, expr.args.map(text), ")")}`;
    }
    case "list":
      return block("[", expr.elements.map(text), "]");
    case "map":
      return block(
        "{",
        expr.entries.map(
          (e) => `${e.optional ? "?" : ""}${text(e.key)}:${text(e.value)}${adorn("entry")}`,
        ),
        "}",
      );
    case "struct":
      return block(
        `${expr.typeName}{`,
        expr.fields.map(
          (f) => `${f.optional ? "?" : ""}${f.name}:${text(f.value)}${adorn("field")}`,
        ),
        "}",
      );
    case "comprehension": {
      const variables = expr.iterVar2 === "" ? [expr.iterVar] : [expr.iterVar, expr.iterVar2];
      const parts = [
        `// Variable\n${variables.join(",\n")}`,
        `// Target\n${text(expr.iterRange)}`,
        `// Accumulator\n${expr.accuVar}`,
        `// Init\n${text(expr.accuInit)}`,
        `// LoopCondition\n${text(expr.condition)}`,
        `// LoopStep\n${text(expr.step)}`,
        `// Result\n${text(expr.result)}`,
      ];
      return block("__comprehension__(", parts, ")").replace(/\n\)$/, ")");
    }
    case "unspecified":
      return "";
  }
}

interface OracleCase {
  readonly original: { readonly expr: string };
  readonly ast?: string;
  readonly checkedAst?: string;
  readonly type?: string;
  readonly error?: string;
}

const parseOptions: ParseOptions = {
  optionalSyntax: false,
  escapedIdentifiers: false,
  limits: { depthMax: 32, recoveryAttemptsMax: 4, recoverySkipMax: 4 },
};

const scope = createScope({
  libraries: [
    standardLibrary,
    newStringsLibrary,
    defineLibrary({
      name: "checker_test",
      rows: [
        ["fg_s_0", "fg_s() -> string"],
        ["fi_s_s_0", "(string).fi_s_s() -> string"],
      ],
    }),
  ],
  variables: {
    is: stringType,
    ii: intType,
    iu: uintType,
    iz: boolType,
    ib: bytesType,
    id: doubleType,
    ix: nullType,
  },
});

/** Names that the case declares in an environment of its own, which the data leaves out. */
function lacksDeclarations(wanted: OracleCase, checked: Checked): boolean {
  const missing = checked.issues.filter(({ message }) =>
    message.startsWith("undeclared reference"),
  );
  return missing.some(({ message }) => wanted.error?.includes(message) !== true);
}

const unlike: readonly [pattern: RegExp, reason: string][] = [
  [/existsOne\(/, "cel-go's parser has existsOne with one variable, its environments do not"],
  [/^-\[-1--1|0"""|^x\{\?\.$/, "ANTLR resumes after several errors in ways of its own"],
  [/\{\?\w|\{\?'/, "in Kubernetes optional syntax is always on"],
  [/^1 (?:<|>|<=|>=) 1\.0 && 1u/, "declares that numbers of different types do not compare"],
];

function runCase(wanted: OracleCase, context: { skip: (reason: string) => void }): void {
  const { expr } = wanted.original;
  const reason = unlike.find(([pattern]) => pattern.test(expr))?.[1];
  if (reason !== undefined) return context.skip(reason);
  const parsed = parse(expr, parseOptions);
  if (!parsed.ok) {
    assert.equal(formatIssues(expr, parsed.issues, ""), wanted.error);
    return;
  }
  if (wanted.ast !== undefined) assert.equal(treeText(parsed.expr, adornByKind), wanted.ast);
  // The data's trees know no cel.bind, its checks do.
  const bound = parse(expr, { ...parseOptions, macros: [...standardMacros, ...bindMacros] });
  assert.ok(bound.ok);
  const checked = check(bound.expr, scope);
  if (lacksDeclarations(wanted, checked)) return context.skip("declarations are not in the data");
  if (wanted.error !== undefined) {
    assert.equal(formatIssues(expr, checked.issues), wanted.error);
    return;
  }
  assert.deepEqual(checked.issues, []);
  if (wanted.checkedAst !== undefined) {
    assert.equal(treeText(bound.expr, adornByType(checked)), wanted.checkedAst);
  }
  const type = checked.types.get(bound.expr.id);
  if (type !== undefined) assert.equal(formatType(type), wanted.type);
}

for (const suite of [parsing, checking, comprehensions] as const) {
  for (const wanted of (suite.tests ?? []) as readonly OracleCase[]) {
    test(`${suite.name} ${wanted.original.expr.slice(0, 80)}`, (context) =>
      runCase(wanted, context));
  }
}
