import type { AnyMetricFamily, Histogram, MetricRegistry } from "./metrics.ts";

export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** Prints all families as a scrape's answer; OpenMetrics when the Accept header asks for it. */
export function metricsText(registry: MetricRegistry, accept = ""): MetricsText {
  const open = accept.includes("application/openmetrics-text");
  const style: Style = open ? openMetrics : prometheus;
  let body = "";
  for (const family of registry.families()) body += familyText(family, style);
  return { contentType: style.contentType, body: body + style.end };
}

interface Style {
  readonly contentType: string;
  readonly end: string;
  /** The name in the HELP and TYPE lines. */
  readonly familyName: (family: AnyMetricFamily) => string;
  readonly number: (value: number) => string;
  readonly help: (text: string) => string;
}

const prometheus: Style = {
  contentType: "text/plain; version=0.0.4; charset=utf-8",
  end: "",
  familyName: (family) => family.name,
  number: goFloat,
  help: (text) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"),
};

const openMetrics: Style = {
  contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  end: "# EOF\n",
  familyName: (family) =>
    family.type === "counter" ? family.name.replace(/_total$/, "") : family.name,
  number(value) {
    const text = goFloat(value);
    return /^-?\d+$/.test(text) ? `${text}.0` : text;
  },
  help: escapeText,
};

function familyText(family: AnyMetricFamily, style: Style): string {
  const name = style.familyName(family);
  // Label pairs are sorted by name, as the Go client prints them.
  const order = family.labels.map((label, i) => [label, i] as const).sort();
  const labelText = (values: readonly string[]): string =>
    order.map(([label, i]) => `${label}="${escapeText(values[i] ?? "")}"`).join(",");
  const lines: string[] = [];
  if (family.type === "histogram") {
    for (const { values, cell } of family.series()) {
      lines.push(histogramText(family, labelText(values), cell, style));
    }
  } else {
    const sample =
      family.type === "counter" && style === openMetrics ? `${name}_total` : family.name;
    for (const { values, cell } of family.series()) {
      lines.push(`${sample}${braced(labelText(values))} ${style.number(cell.value)}\n`);
    }
  }
  if (lines.length === 0) return "";
  const help = style.help(`[${family.stability}] ${family.help}`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${family.type}\n${lines.sort().join("")}`;
}

function histogramText(
  family: AnyMetricFamily,
  labels: string,
  cell: Histogram,
  style: Style,
): string {
  const prefix = labels === "" ? "" : `${labels},`;
  let cumulative = 0;
  let text = "";
  for (const [i, count] of cell.bucketCounts.entries()) {
    cumulative += count;
    const bound = style.number(family.buckets[i] ?? Infinity);
    text += `${family.name}_bucket{${prefix}le="${bound}"} ${cumulative}\n`;
  }
  text += `${family.name}_sum${braced(labels)} ${style.number(cell.sum)}\n`;
  return `${text}${family.name}_count${braced(labels)} ${cell.count}\n`;
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function escapeText(text: string): string {
  if (!/[\\\n"]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** As Go's `strconv.FormatFloat(value, 'g', -1, 64)`. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e6) return String(value);
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const sign = exponent.startsWith("-") ? "-" : "+";
  return `${digits}e${sign}${exponent.slice(1).padStart(2, "0")}`;
}
