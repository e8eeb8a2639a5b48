import type { FeatureReader } from "#apimachinery/resource.ts";

/** Feature gates of `--feature-gates=A=true,B=false` over the defaults of 1.36. */
export function featureReader(text: string, defaults: Readonly<Record<string, boolean>>): FeatureReader {
  const set = new Map<string, boolean>();
  for (const part of text.split(",").filter((item) => item !== "")) {
    const [gate = "", value = ""] = part.split("=");
    if (value !== "true" && value !== "false") {
      throw new Error(`invalid value of ${gate}: ${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    set.set(gate, value === "true");
  }
  return { enabled: (gate) => set.get(gate) ?? defaults[gate] ?? false };
}
