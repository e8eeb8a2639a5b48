import { invalid, required } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
} from "./custom-resource-definition.ts";

/** Parts of a version. Source: apiextensions-apiserver pkg/apis/apiextensions/validation. */
const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const warningLengthMax = 256;

export function* validateDeprecation(
  { deprecated, deprecationWarning: warning }: CustomResourceDefinitionVersion,
  path: string,
): Findings {
  if (warning === undefined) return;
  if (deprecated !== true) {
    yield invalid(path, warning, "can only be set for deprecated versions");
    return;
  }
  if (Buffer.byteLength(warning) > warningLengthMax) {
    yield invalid(path, warning, `must be <= ${warningLengthMax} characters long`);
  }
  if (warning === "") yield invalid(path, warning, "must not be an empty string");
  const at = [...warning].findIndex(
    (char) => /[\p{C}\p{Zl}\p{Zp}]/u.test(char) || (char !== " " && /\p{Zs}/u.test(char)),
  );
  if (at >= 0) {
    const detail = "must only contain printable UTF-8 characters; non-printable character found at index";
    yield invalid(path, warning, `${detail} ${at}`);
  }
}

export function* validateColumns(
  columns: readonly CustomResourceColumnDefinition[] | undefined,
  path: string,
): Findings {
  for (const [i, { name, type, format = "", jsonPath }] of (columns ?? []).entries()) {
    const at = `${path}[${i}]`;
    if (name === "") yield required(`${at}.name`, "");
    const types = `must be one of ${columnTypes.join(",")}`;
    if (type === "") yield required(`${at}.type`, types);
    else if (!columnTypes.includes(type)) yield invalid(`${at}.type`, type, types);
    if (format !== "" && !columnFormats.includes(format)) {
      yield invalid(`${at}.format`, format, `must be one of ${columnFormats.join(",")}`);
    }
    if (jsonPath === "") yield required(`${at}.JSONPath`, "");
    else yield* validateSimplePath(jsonPath, `${at}.JSONPath`);
  }
}

function* validateSimplePath(text: string, path: string): Findings {
  if (!text.startsWith(".")) yield invalid(path, text, "must be a simple json path starting with .");
}

export function* validateScale(subresources: CustomResourceSubresources | undefined, path: string): Findings {
  const scale = subresources?.scale;
  if (scale === undefined) return;
  const at = `${path}.scale`;
  yield* validateBelow(scale.specReplicasPath, `${at}.specReplicasPath`, [".spec"]);
  yield* validateBelow(scale.statusReplicasPath, `${at}.statusReplicasPath`, [".status"]);
  if (scale.labelSelectorPath) {
    yield* validateBelow(scale.labelSelectorPath, `${at}.labelSelectorPath`, [".spec", ".status"]);
  }
}

function* validateBelow(text: string, path: string, roots: readonly string[]): Findings {
  if (text === "") yield required(path, "");
  else if (!text.startsWith(".")) yield* validateSimplePath(text, path);
  else if (!roots.some((root) => text.startsWith(`${root}.`))) {
    const where = roots.length === 1 ? `under ${roots[0]}` : `under either ${roots.join(" or ")}`;
    yield invalid(path, text, `should be a json path ${where}`);
  }
}
