import type { DeleteOptions } from "#apimachinery/meta/options.ts";
import { decodeJson } from "#apimachinery/json-codec.ts";
import type { Fields, StructSchema } from "#apimachinery/schema.ts";
import type { Call } from "../call.ts";
import { decodeBody, type Expected } from "./decode.ts";

/** DeleteOptions of the body, or of the query when there is no body. */
export function decodeDeleteOptions(call: Call, schema: StructSchema<Fields>): DeleteOptions {
  const { body, options } = call;
  const empty = body === undefined || (body.form === "bytes" && body.bytes.length === 0);
  if (empty) {
    return {
      ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
      ...(options.propagationPolicy !== undefined && { propagationPolicy: options.propagationPolicy }),
      ...(options.orphanDependents !== undefined && { orphanDependents: options.orphanDependents }),
      ...(options.dryRun === true && { dryRun: ["All"] }),
    };
  }
  return decodeBody(call, expectedOptions(schema), {
    // DeleteOptions are accepted under every group version that the server knows.
    has: ({ kind }) => kind === "DeleteOptions",
  }) as DeleteOptions;
}

function expectedOptions(schema: StructSchema<Fields>): Expected {
  return {
    group: "",
    version: "v1",
    kind: "DeleteOptions",
    schema,
    anyVersion: true,
    codec: {
      decode: (value, collectFindings) => {
        const { object, findings } = decodeJson(schema, value, { collectFindings });
        return { object: object as object, findings: [...findings] };
      },
    },
  };
}
