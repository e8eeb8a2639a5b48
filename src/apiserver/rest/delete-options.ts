import type { DeleteOptions } from "#apimachinery/meta/options.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import type { Call } from "../call.ts";
import { decodeBody, kindOf } from "./decode.ts";

/** DeleteOptions of the body, or of the query when there is no body. */
export function decodeDeleteOptions(call: Call, schema: StructSchema<Fields>): DeleteOptions {
  const { body, options } = call;
  const empty = body === undefined || (body.form === "bytes" && body.bytes.length === 0);
  if (empty) {
    return {
      ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
      ...(options.propagationPolicy !== undefined && { propagationPolicy: options.propagationPolicy }),
      ...(options.orphanDependents !== undefined && { orphanDependents: options.orphanDependents }),
      ...(options.ignoreStoreReadError === true && { ignoreStoreReadErrorWithClusterBreakingPotential: true }),
      ...(options.preconditions !== undefined && { preconditions: { ...options.preconditions } }),
      ...(options.dryRun === true && { dryRun: ["All"] }),
    };
  }
  const expected = { ...kindOf(schema, "", "v1"), anyVersion: true, bare: true };
  const lenient = { ...call, options: { ...call.options, fieldValidation: "Ignore" as const } };
  return decodeBody(lenient, expected, {
    // DeleteOptions are accepted under every group version that the server knows.
    has: ({ kind }) => kind === "DeleteOptions",
  }) as DeleteOptions;
}
