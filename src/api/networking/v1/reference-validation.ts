import { required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsSubdomain,
} from "#apimachinery/validation/checks.ts";
import { checkPathSegment } from "#apimachinery/validation/names.ts";

interface Reference {
  readonly apiGroup?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

/** An object of any kind in the same scope. Source: pkg/apis/networking/validation. */
export function* validateReference(reference: Reference, path: string): Findings {
  const { apiGroup, kind, name } = reference;
  if (apiGroup !== undefined) yield* validateDnsSubdomain(apiGroup, `${path}.apiGroup`);
  yield* validateSegment(kind, `${path}.kind`);
  yield* validateSegment(name, `${path}.name`);
}

/** Present and fit for a URL path. */
export function* validateSegment(value: string | undefined, path: string): Findings {
  if (!value) yield required(path, "");
  else yield* invalidTexts(path, value, checkPathSegment(value));
}
