/**
 * YAML events to values, with Go's meaning of scalars and keys, its count of aliases, and the
 * lines of repeated keys. Source: go-yaml v2 decode.go, sigs.k8s.io/yaml.
 */
import {
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
  type Event,
  type ScalarEvent,
} from "js-yaml";
import { compareBytes } from "#base/compare-bytes.ts";
import { resolveYamlScalar, type YamlScalar } from "./yaml-scalar.ts";
import { yamlProblem } from "./yaml-problem.ts";

export class YamlError extends Error {
  override readonly name = "YamlError";
}

export interface YamlDocument {
  /** Undefined for a document without content. */
  readonly value: unknown;
  /** `line 7: key "k" already set in map`, in order of appearance. */
  readonly duplicates: readonly string[];
}

/** Deepest nesting that is read; aliases count in too. */
export const yamlDepthMax = 1000;

type YamlNode =
  | {
      readonly kind: "scalar";
      readonly at: number;
      readonly value: YamlScalar;
      readonly merge: boolean;
    }
  | { readonly kind: "sequence"; readonly at: number; readonly items: YamlNode[] }
  | { readonly kind: "mapping"; readonly at: number; readonly pairs: YamlNode[] }
  | {
      readonly kind: "alias";
      readonly at: number;
      readonly name: string;
      readonly target: YamlNode;
    };

/** Reads one document. Errors: `YamlError`, in Go's words where they are known. */
export function readYamlDocument(source: string): YamlDocument {
  let events: Event[];
  try {
    events = parseEvents(source, { maxDepth: yamlDepthMax });
  } catch (error) {
    if (error instanceof YAMLException) throw new YamlError(yamlProblem(error));
    throw error;
  }
  const root = new Composer(source, events).compose();
  if (root === undefined) return { value: undefined, duplicates: [] };
  const builder = new Builder(source);
  const value = builder.build(root);
  return { value, duplicates: builder.duplicates };
}

type Properties = {
  readonly anchorStart: number;
  readonly anchorEnd: number;
  readonly tagStart: number;
  readonly tagEnd: number;
};

class Composer {
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, YamlNode>();
  #next = 0;

  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
  }

  compose(): YamlNode | undefined {
    // The first event opens the document.
    this.#next = 1;
    return this.#node();
  }

  /** Undefined where the container ends. */
  #node(): YamlNode | undefined {
    const event = this.#events[this.#next++];
    if (event === undefined || event.type === EVENT_ID.POP) return undefined;
    if (event.type === EVENT_ID.DOCUMENT) return undefined;
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event.anchorStart, event.anchorEnd);
    if (event.type === EVENT_ID.SCALAR) return this.#anchored(event, this.#scalar(event));
    const children: YamlNode[] = [];
    const node: YamlNode =
      event.type === EVENT_ID.SEQUENCE
        ? { kind: "sequence", at: event.start, items: children }
        : { kind: "mapping", at: event.start, pairs: children };
    this.#anchored(event, node);
    for (let child = this.#node(); child !== undefined; child = this.#node()) children.push(child);
    return node;
  }

  #anchored(properties: Properties, node: YamlNode): YamlNode {
    if (properties.anchorStart >= 0) {
      const name = this.#source.slice(properties.anchorStart, properties.anchorEnd);
      this.#anchors.set(name, node);
    }
    return node;
  }

  #alias(start: number, end: number): YamlNode {
    const name = this.#source.slice(start, end);
    const target = this.#anchors.get(name);
    if (target === undefined) throw new YamlError(`yaml: unknown anchor '${name}' referenced`);
    return { kind: "alias", at: start, name, target };
  }

  #scalar(event: ScalarEvent): YamlNode {
    const text = getScalarValue(this.#source, event);
    const tag = event.tagStart < 0 ? "" : this.#source.slice(event.tagStart, event.tagEnd);
    const plain = event.style === SCALAR_STYLE.PLAIN;
    const value = tag === "" ? (plain ? resolveYamlScalar(text) : text) : taggedScalar(tag, text);
    const at = event.valueStart < 0 ? this.#previousEnd() : event.valueStart;
    return { kind: "scalar", at, value, merge: plain && tag === "" && text === "<<" };
  }

  /** An empty scalar has no place of its own: it stands where what came before ended. */
  #previousEnd(): number {
    const before = this.#events[this.#next - 2];
    return before?.type === EVENT_ID.SCALAR ? Math.max(0, before.valueEnd) : 0;
  }
}

function taggedScalar(tag: string, text: string): YamlScalar {
  const name = tag.replace(/^!<tag:yaml\.org,2002:(.*)>$/, "!!$1");
  if (name === "!!binary") return Buffer.from(text, "base64").toString("latin1");
  if (!["!!int", "!!float", "!!bool", "!!null"].includes(name)) return text;
  const value = resolveYamlScalar(text);
  const isNumber = typeof value === "number" || typeof value === "bigint";
  const fits =
    (name === "!!bool" && typeof value === "boolean") ||
    (name === "!!null" && value === null) ||
    (name === "!!float" && isNumber) ||
    (name === "!!int" && isNumber && (typeof value === "bigint" || Number.isInteger(value)));
  if (fits) return value;
  const kind = typeof value === "string" ? "!!str" : `!!${goKind(value)}`;
  throw new YamlError(`yaml: cannot decode ${kind} \`${text}\` as a ${name}`);
}

function goKind(value: YamlScalar): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  return Number.isInteger(value) || typeof value === "bigint" ? "int" : "float";
}

/** Below so many values, aliases may be as many as they like. */
const aliasCountFree = 100;
const valueCountFree = 1000;

class Builder {
  readonly duplicates: string[] = [];
  readonly #source: string;
  readonly #open = new Set<YamlNode>();
  #valueCount = 0;
  #aliasCount = 0;
  #aliasDepth = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  build(node: YamlNode): unknown {
    this.#count();
    if (node.kind === "alias") return this.#buildAlias(node.name, node.target);
    if (node.kind === "scalar") return jsonScalar(node.value);
    if (++this.#depth > yamlDepthMax)
      throw new YamlError(`yaml: exceeded max depth of ${yamlDepthMax}`);
    const value =
      node.kind === "sequence"
        ? node.items.map((item) => this.build(item))
        : this.#mapping(node.pairs);
    this.#depth--;
    return value;
  }

  /** An alias is built anew each time, as Go does; the share of that work is bounded. */
  #count(): void {
    this.#valueCount++;
    if (this.#aliasDepth > 0) this.#aliasCount++;
    if (this.#aliasCount <= aliasCountFree || this.#valueCount <= valueCountFree) return;
    if (this.#aliasCount / this.#valueCount > aliasShareMax(this.#valueCount)) {
      throw new YamlError("yaml: document contains excessive aliasing");
    }
  }

  #buildAlias(name: string, target: YamlNode): unknown {
    if (this.#open.has(target)) throw new YamlError(`yaml: anchor '${name}' value contains itself`);
    this.#open.add(target);
    this.#aliasDepth++;
    const value = this.build(target);
    this.#aliasDepth--;
    this.#open.delete(target);
    return value;
  }

  #mapping(pairs: readonly YamlNode[]): Record<string, unknown> {
    const own = new Map<string, unknown>();
    const merged = new Map<string, unknown>();
    const seen = new Set<string>();
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const key = pairs[i] as YamlNode;
      const value = pairs[i + 1] as YamlNode;
      if (key.kind === "scalar" && key.merge) {
        this.#merge(value, merged);
        continue;
      }
      const { text, shown } = this.#key(key);
      if (seen.has(shown)) {
        this.duplicates.push(`line ${this.#line(value.at)}: key ${shown} already set in map`);
      }
      seen.add(shown);
      own.set(text, this.build(value));
    }
    const all = merged.size === 0 ? own : new Map([...merged, ...own]);
    // On its way to JSON a document passes through Go's maps, which are printed sorted.
    return Object.fromEntries([...all].toSorted(([a], [b]) => compareBytes(a, b)));
  }

  /** The text that the key is in JSON, and how Go shows its value. */
  #key(node: YamlNode): { readonly text: string; readonly shown: string } {
    this.#count();
    const scalar = node.kind === "alias" ? node.target : node;
    if (scalar.kind !== "scalar") {
      const what = scalar.kind === "sequence" ? "slice" : "map";
      throw new YamlError(`yaml: invalid map key: ${what} of type []interface {}`);
    }
    const { value } = scalar;
    if (value === null) throw new YamlError("unsupported map key of type: <nil>, key: <nil>");
    const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
    return { text: String(value), shown };
  }

  #merge(node: YamlNode, into: Map<string, unknown>): void {
    const source = node.kind === "alias" ? node.target : node;
    const parts = source.kind === "sequence" ? source.items : [node];
    // The earlier of several mappings wins.
    for (const part of parts) {
      const value = this.build(part);
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new YamlError("yaml: map merge requires map or sequence of maps as the value");
      }
      for (const [key, item] of Object.entries(value)) if (!into.has(key)) into.set(key, item);
    }
  }

  #line(at: number): number {
    let line = 1;
    for (
      let i = this.#source.indexOf("\n");
      i >= 0 && i < at;
      i = this.#source.indexOf("\n", i + 1)
    ) {
      line++;
    }
    return line;
  }
}

/** From 99 % in small documents down to 10 % in huge ones. Source: go-yaml `allowedAliasRatio`. */
function aliasShareMax(valueCount: number): number {
  const [small, huge] = [400_000, 4_000_000];
  if (valueCount <= small) return 0.99;
  if (valueCount >= huge) return 0.1;
  return 0.99 - 0.89 * ((valueCount - small) / (huge - small));
}

function jsonScalar(value: YamlScalar): YamlScalar {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  const shown = Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  throw new YamlError(`json: unsupported value: ${shown}`);
}
