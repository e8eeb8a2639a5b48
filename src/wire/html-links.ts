/** Attributes that hold URLs, by tag. Source: apimachinery proxy/transport.go. */
const urlAttributes = new Map<string, readonly string[]>([
  ["a", ["href"]],
  ["applet", ["codebase"]],
  ["area", ["href"]],
  ["audio", ["src"]],
  ["base", ["href"]],
  ["blockquote", ["cite"]],
  ["body", ["background"]],
  ["button", ["formaction"]],
  ["command", ["icon"]],
  ["del", ["cite"]],
  ["embed", ["src"]],
  ["form", ["action"]],
  ["frame", ["longdesc", "src"]],
  ["head", ["profile"]],
  ["html", ["manifest"]],
  ["iframe", ["longdesc", "src"]],
  ["img", ["longdesc", "src", "usemap"]],
  ["input", ["src", "usemap", "formaction"]],
  ["ins", ["cite"]],
  ["link", ["href"]],
  ["object", ["classid", "codebase", "data", "usemap"]],
  ["q", ["cite"]],
  ["script", ["src"]],
  ["source", ["src"]],
  ["video", ["poster", "src"]],
]);

/** Elements whose content is text, whatever it looks like. */
const rawTextEnds = new Map(
  ["script", "style", "textarea", "title", "xmp", "noembed", "noframes"].map(
    (tag) => [tag, new RegExp(`</${tag}`, "gi")] as const,
  ),
);

/** Passes every URL in the tags of `html` through `rewrite`; all else stays as it is. */
export function rewriteHtmlLinks(html: string, rewrite: (url: string) => string): string {
  let out = "";
  let copied = 0;
  let at = html.indexOf("<");
  while (at >= 0) {
    if (html.startsWith("<!--", at)) {
      at = skipTo(html, "-->", at);
      continue;
    }
    const tag = readTag(html, at);
    if (tag === "none") {
      at = html.indexOf("<", at + 1);
      continue;
    }
    if (tag === "unclosed") break;
    for (const { start, end, name } of tag.attributes) {
      if (urlAttributes.get(tag.name)?.includes(name) !== true) continue;
      const url = html.slice(start, end);
      out += html.slice(copied, start) + escape(rewrite(unescape(url)));
      copied = end;
    }
    at = contentEnd(html, tag);
    if (at >= 0) at = html.indexOf("<", at);
  }
  return out + html.slice(copied);
}

/** After the next `text`, or -1. */
function skipTo(html: string, text: string, from: number): number {
  const found = html.indexOf(text, from);
  return found < 0 ? -1 : found + text.length;
}

/** Where to look on: after the tag, or after the text that belongs to it. */
function contentEnd(html: string, tag: Tag): number {
  const end = rawTextEnds.get(tag.name);
  if (end === undefined) return tag.end;
  end.lastIndex = tag.end;
  return end.test(html) ? end.lastIndex : -1;
}

interface Tag {
  readonly name: string;
  /** Where the values stand, without quotes. */
  readonly attributes: readonly { name: string; start: number; end: number }[];
  /** After the closing bracket. */
  readonly end: number;
}

const namePattern = /<([A-Za-z][^\s/>]*)/y;
const attributePattern =
  /[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>][^\s>]*)))?/y;
const endPattern = /[\s/]*>/y;

function readTag(html: string, at: number): Tag | "none" | "unclosed" {
  namePattern.lastIndex = at;
  const name = namePattern.exec(html)?.[1];
  if (name === undefined) return "none";
  const attributes: { name: string; start: number; end: number }[] = [];
  let next = at + 1 + name.length;
  for (;;) {
    endPattern.lastIndex = next;
    const end = endPattern.exec(html);
    if (end !== null) return { name: name.toLowerCase(), attributes, end: next + end[0].length };
    attributePattern.lastIndex = next;
    const match = attributePattern.exec(html);
    if (match === null) {
      // An equals sign out of place, or the end.
      if (++next >= html.length) return "unclosed";
      continue;
    }
    next += match[0].length;
    const [, attribute = "", double, single, bare] = match;
    const value = double ?? single ?? bare;
    if (value === undefined) continue;
    const quoteLength = bare === undefined ? 1 : 0;
    const valueEnd = next - quoteLength;
    const start = valueEnd - value.length;
    attributes.push({ name: attribute.toLowerCase(), start, end: valueEnd });
  }
}

function unescape(value: string): string {
  return value.replaceAll("&amp;", "&").replaceAll("&#38;", "&");
}

function escape(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll('"', "&#34;").replaceAll("'", "&#39;");
}
