import { addError, composite, merge, newResult, type SchemaResult } from "./schema-result.ts";
import { type Subject, validateNode } from "./schema-validator.ts";
import type { Structural } from "./structural.ts";

/**
 * `anyOf`, `oneOf`, `allOf`, `not`. Where no branch fits, the findings of the one that came
 * nearest are told. Source: kube-openapi pkg/validation/validate/schema_props.go.
 */
export function validateBranches(schema: Structural, subject: Subject): SchemaResult {
  const result = newResult();
  if (schema.anyOf !== undefined && schema.anyOf.length > 0) checkAny(result, schema.anyOf, subject);
  if (schema.oneOf !== undefined && schema.oneOf.length > 0) checkOne(result, schema.oneOf, subject);
  if (schema.allOf !== undefined && schema.allOf.length > 0) checkAll(result, schema.allOf, subject);
  if (schema.not !== undefined && isValid(validateNode(schema.not, subject))) {
    addError(result, composite(`${quote(subject)} must not validate the schema (not)`));
  }
  result.matches++;
  return result;
}

function quote({ path }: Subject): string {
  return JSON.stringify(path);
}

function isValid({ errors }: SchemaResult): boolean {
  return errors.length === 0;
}

/** The result that most checks passed of; the first among equals. */
function nearest(results: readonly SchemaResult[]): SchemaResult | undefined {
  let best: SchemaResult | undefined;
  for (const result of results) if (best === undefined || result.matches > best.matches) best = result;
  return best;
}

function checkAny(result: SchemaResult, branches: readonly Structural[], subject: Subject): void {
  const failures: SchemaResult[] = [];
  for (const branch of branches) {
    const found = validateNode(branch, subject);
    if (isValid(found)) return merge(result, found);
    failures.push(found);
  }
  addError(result, composite(`${quote(subject)} must validate at least one schema (anyOf)`));
  const best = nearest(failures);
  if (best !== undefined) merge(result, best);
}

function checkOne(result: SchemaResult, branches: readonly Structural[], subject: Subject): void {
  const found = branches.map((branch) => validateNode(branch, subject));
  const valid = found.filter(isValid);
  const [first] = valid;
  if (first !== undefined && valid.length === 1) return merge(result, first);
  const why = valid.length === 0 ? "Found none valid" : `Found ${valid.length} valid alternatives`;
  addError(result, composite(`${quote(subject)} must validate one and only one schema (oneOf). ${why}`));
  const best = valid.length === 0 ? nearest(found) : undefined;
  if (best !== undefined) merge(result, best);
}

function checkAll(result: SchemaResult, branches: readonly Structural[], subject: Subject): void {
  let validCount = 0;
  for (const branch of branches) {
    const found = validateNode(branch, subject);
    if (isValid(found)) validCount++;
    merge(result, found);
  }
  if (validCount === branches.length) return;
  const why = validCount === 0 ? ". None validated" : "";
  addError(result, composite(`${quote(subject)} must validate all the schemas (allOf)${why}`));
}
