/**
 * Replaces `$(NAME)` by what `lookup` gives; unknown names stay as they are, `$$` is a dollar.
 * Source: third_party/forked/golang/expansion.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = "";
  let at = 0;
  for (;;) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0 || dollar + 1 >= text.length) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === "$") {
      out += "$";
      at = dollar + 2;
      continue;
    }
    const close = next === "(" ? text.indexOf(")", dollar) : -1;
    if (close < 0) {
      out += next === "(" ? "$(" : `$${next}`;
      at = dollar + 2;
      continue;
    }
    const whole = text.slice(dollar, close + 1);
    out += lookup(whole.slice(2, -1)) ?? whole;
    at = close + 1;
  }
}
