import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { layers } from "./layers.ts";
import { limitsPage } from "./limits.ts";
import { importsOf, root, type SourceFile, sourceFiles } from "./source.ts";

const files = sourceFiles("src");
const code = files.filter((file) => !file.isTest);

/** Recorded departures, `rule path`: the list may only shrink. */
const exceptions = new Set(
  readFileSync(join(import.meta.dirname, "exceptions.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")),
);
const used = new Set<string>();

function excused(rule: string, path: string): boolean {
  const key = `${rule} ${path}`;
  if (!exceptions.has(key)) return false;
  used.add(key);
  return true;
}

function unitOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** The path below the root that an import leads to; undefined for packages. */
function targetOf(file: SourceFile, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return `src/${specifier.slice(1)}`;
  if (specifier.startsWith(".")) return normalize(join(dirname(file.path), specifier));
  return undefined;
}

test("layers: nobody imports a unit that the table does not grant", () => {
  const wrong: string[] = [];
  for (const file of code) {
    const unit = unitOf(file.path);
    const granted = layers[unit];
    assert.ok(granted !== undefined, `${unit} is in no layer`);
    for (const specifier of importsOf(file)) {
      const target = targetOf(file, specifier);
      if (target === undefined) continue;
      const other = unitOf(target);
      if (other === unit || granted.includes("*") || granted.includes(other)) continue;
      if (!excused("layer", file.path)) wrong.push(`${file.path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("layers: imports inside a unit are relative, across units by #", () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const specifier of importsOf(file)) {
      const target = targetOf(file, specifier);
      if (target === undefined || !specifier.startsWith(".")) continue;
      if (unitOf(target) !== unitOf(file.path)) wrong.push(`${file.path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

const worldModules =
  /^node:(?:fs|fs\/promises|net|tls|http|https|http2|child_process|dgram|worker_threads|os|timers)$/;

/** What may stand only in `base/os`, and what to use instead. */
const bans: readonly { rule: string; pattern: RegExp; instead: string; except?: RegExp }[] = [
  { rule: "clock", pattern: /\bDate\.now\(|\bnew Date\(\)/, instead: "clock.nowMs()" },
  { rule: "timer", pattern: /(?<![.\w])set(?:Timeout|Interval|Immediate)\(/, instead: "clock.after()" },
  { rule: "random", pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/, instead: "random" },
  { rule: "process", pattern: /\bprocess\.(?:env|argv|exit)\b/, instead: "the command context", except: /^src\/cmd\/main\.ts$/ },
  { rule: "console", pattern: /\bconsole\.\w/, instead: "the logger" },
  { rule: "any", pattern: /:\s*any\b|<any>|\bas any\b/, instead: "unknown" },
  { rule: "ignore", pattern: /@ts-(?:ignore|nocheck)/, instead: "a type" },
  { rule: "weak", pattern: /\bnew WeakRef\b|\bFinalizationRegistry\b/, instead: "a lifetime" },
  { rule: "fixme", pattern: new RegExp(["FIX" + "ME", "TO" + "DO", "X" + "XX"].join("|")), instead: "doing it" },
];

for (const { rule, pattern, instead, except } of bans) {
  test(`bans: ${rule} (use ${instead})`, () => {
    const wrong = code
      .filter(({ path }) => !path.startsWith("src/base/os/") && !except?.test(path))
      .filter(({ text }) => pattern.test(withoutComments(text)))
      .map(({ path }) => path)
      .filter((path) => !excused(rule, path));
    assert.deepEqual(wrong, []);
  });
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

test("bans: the world is touched in base/os only", () => {
  const wrong: string[] = [];
  for (const file of code) {
    if (file.path.startsWith("src/base/os/")) continue;
    for (const specifier of importsOf(file)) {
      if (!worldModules.test(specifier) || isTypeOnly(file, specifier)) continue;
      if (!excused("world", file.path)) wrong.push(`${file.path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

function isTypeOnly({ text }: SourceFile, specifier: string): boolean {
  const escaped = specifier.replaceAll("/", "\\/");
  const statement = new RegExp(`^import\\s+([^;]*?)from\\s+["']${escaped}["']`, "gm");
  const imports = [...text.matchAll(statement)].map((match) => match[1] ?? "");
  return imports.length > 0
    ? imports.every((names) => /^type\b/.test(names.trim()) || /^\{(?:\s*type\s+\w+,?)+\s*\}\s*$/.test(names))
    : new RegExp(`import\\(["']${escaped}["']\\)\\.`).test(text);
}

const fileLinesMax = 600;
const columnsMax = 140;

test(`size: files have at most ${fileLinesMax} lines`, () => {
  const wrong = code
    .filter(({ text }) => text.split("\n").length > fileLinesMax)
    .map(({ path }) => path)
    .filter((path) => !excused("lines", path));
  assert.deepEqual(wrong, []);
});

/** Upstream's messages and rules are not to be cut: a text counts as one column. */
const longText = /"(?:[^"\\]|\\.){60,}"|`(?:[^`\\]|\\.){60,}`|\/.{60,}\//g;

test(`size: lines have at most ${columnsMax} columns, apart from long texts`, () => {
  const wrong = code.flatMap(({ path, text }) =>
    text
      .split("\n")
      .map((line, i) => ({ at: `${path}:${i + 1}`, line }))
      .filter(({ line }) => line.length > columnsMax && line.replace(longText, "_").length > columnsMax)
      .map(({ at }) => at),
  );
  assert.deepEqual(wrong, []);
});

test("orphans: every file is imported by another, or is an entry point", () => {
  const imported = new Set(
    [...files, ...sourceFiles("test"), ...sourceFiles("bench")].flatMap((file) =>
      importsOf(file).flatMap((specifier) => targetOf(file, specifier) ?? []),
    ),
  );
  const wrong = code
    .map(({ path }) => path)
    .filter((path) => path !== "src/cmd/main.ts" && !imported.has(path) && !excused("orphan", path));
  assert.deepEqual(wrong, []);
});

test("markdown: one title for each file", () => {
  for (const name of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]) {
    const text = readFileSync(join(root, name), "utf8").replace(/```[\s\S]*?```/g, "");
    assert.equal(text.match(/^# /gm)?.length, 1, name);
  }
});

test("exceptions: each is still needed", () => {
  assert.deepEqual([...exceptions].filter((key) => !used.has(key)), []);
});

test("limits: the page lists what the code has (node tools/limits.ts)", () => {
  assert.equal(readFileSync(join(root, "docs/reference/limits.md"), "utf8"), limitsPage());
});

test("dependencies: each has a line, and a user", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Record<string, string>;
    readonly optionalDependencies: Record<string, string>;
  };
  const page = readFileSync(join(root, "docs/dependencies.md"), "utf8");
  const imported = new Set(code.flatMap((file) => importsOf(file)));
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    assert.ok(page.includes(`\`${name}\``), `docs/dependencies.md has no line for ${name}`);
  }
  for (const name of Object.keys(manifest.dependencies)) {
    assert.ok([...imported].some((path) => path === name || path.startsWith(`${name}/`)), `nobody imports ${name}`);
  }
});
