/** Runs the tests: `node tools/test.ts [unit] [e2e] [PATH...]`; without arguments all of them.
 *
 * Unit tests run two files at a time. End-to-end tests make network namespaces, containers and nftables rules, so one
 * file at a time. Each file is a process of its own.
 */
import { globSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const fileTimeoutMs = 600_000;

const suites: Record<string, { readonly globs: readonly string[]; readonly concurrency: number }> = {
  unit: { globs: ["src/**/*.test.ts", "test/!(e2e)/**/*.test.ts"], concurrency: 2 },
  e2e: { globs: ["test/e2e/**/*.test.ts"], concurrency: 1 },
};

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

async function runFiles(files: readonly string[], concurrency: number): Promise<void> {
  const events = run({ files: [...files], concurrency, timeout: fileTimeoutMs, execArgv: ["--disable-warning=ExperimentalWarning"] });
  const quiet = process.env["VERBOSE"] === undefined;
  events.on("test:pass", (data) => {
    if (data.details.type === "suite" || isFile(data)) return;
    if (data.skip === undefined && data.todo === undefined) totals.passed++;
    else totals.skipped++;
  });
  events.on("test:fail", (data) => {
    // A file whose process ends badly fails as itself, with no test of its own to blame.
    if (data.details.type === "suite") return;
    totals.failed++;
    failures.push(`${data.file ?? ""} ${data.name}`);
  });
  if (quiet) {
    await report(events);
    return;
  }
  await new Promise<void>((resolve) => {
    events.compose(spec).on("end", resolve).pipe(process.stdout, { end: false });
  });
}

/** Prints what failed and what was skipped, and one line a file for the rest. */
async function report(events: ReturnType<typeof run>): Promise<void> {
  for await (const event of events) {
    if (event.type === "test:fail" && event.data.details.type !== "suite") {
      const { error } = event.data.details;
      const cause: unknown = error.cause ?? error;
      print(`FAILED ${event.data.file ?? ""}: ${event.data.name}`);
      print(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
    } else if (event.type === "test:pass" && typeof event.data.skip === "string") {
      print(`skipped ${event.data.name}: ${event.data.skip}`);
    } else if (event.type === "test:stderr" && process.env["CI"] === undefined) {
      process.stderr.write(event.data.message);
    }
  }
}

function isFile(data: { readonly name: string; readonly file?: string }): boolean {
  return data.file !== undefined && data.file.endsWith(data.name);
}

const wanted = process.argv.slice(2);
const named = wanted.filter((word) => suites[word] === undefined);
const chosen = wanted.length === 0 ? Object.keys(suites) : wanted.filter((word) => suites[word] !== undefined);
const began = performance.now();
if (named.length > 0) await runFiles(named, 1);
for (const name of chosen) {
  const suite = suites[name];
  if (suite === undefined) continue;
  const files = globSync([...suite.globs]).sort();
  print(`${name}: ${files.length} files`);
  await runFiles(files, suite.concurrency);
}
for (const failure of failures) print(`failed: ${failure}`);
print(`${((performance.now() - began) / 1000).toFixed(0)} s`);
print(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 ? 1 : 0;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
