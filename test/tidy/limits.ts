import { sourceFiles } from "./source.ts";

const declaration = /(?:\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*)?^(?:export )?const (\w+(?:Max|Max(?:Bytes|Ms|Count|Length)?)) = ([^;]+);/gm;

/** `docs/reference/limits.md`: every named limit of the code. */
export function limitsPage(): string {
  const rows: string[] = [];
  for (const file of sourceFiles("src")) {
    if (file.isTest) continue;
    for (const [, comment = "", name = "", value = ""] of file.text.matchAll(declaration)) {
      const why = comment.replace(/^\s*\*/gm, "").replace(/\s+/g, " ").replaceAll("|", "\\|").trim();
      const shown = value.replace(/\s+/g, " ");
      if (shown.length <= 40) rows.push(`| \`${name}\` | ${shown} | ${file.path.slice("src/".length)} | ${why} |`);
    }
  }
  return [
    "# Limits",
    "",
    "Every bound of the code, written by `node tools/limits.ts`.",
    "",
    "| name | value | where | what for |",
    "|---|---|---|---|",
    ...rows.sort(),
    "",
  ].join("\n");
}
