import fc, { type Arbitrary } from "fast-check";
import {
  type Fields,
  resolve,
  type ScalarName,
  type Schema,
  type StructSchema,
} from "../schema.ts";
import { shapeOf } from "../struct-shape.ts";

/** JSON values of a schema, fields there or not; nesting ends at a few levels. */
export function arbitraryOf(schema: Schema, depth = 0): Arbitrary<unknown> {
  switch (schema.type) {
    case "ref":
      return arbitraryOf(resolve(schema), depth);
    case "struct": {
      const fields = shapeOf(schema).slots.filter(
        ({ schema: field, name }) =>
          (depth < depthMax || field.type in scalars) && (depth === 0 || !isTypeMeta(schema, name)),
      );
      const entries = fields.map((slot) => [slot.name, arbitraryOf(slot.schema, depth + 1)]);
      return fc.record(Object.fromEntries(entries) as Record<string, Arbitrary<unknown>>, {
        requiredKeys: [],
      });
    }
    case "list":
      return fc.array(arbitraryOf(schema.items, depth + 1), { maxLength: 2 });
    case "map":
      return fc.dictionary(keys, arbitraryOf(schema.values, depth + 1), { maxKeys: 3 });
    case "either":
      if (depth >= depthMax) return fc.constant(schema.or === "bool" ? true : {});
      return arbitraryOf(schema.schema, depth + 1);
    default:
      return scalars[schema.type];
  }
}

/** Nested kinds lose these in protobuf. */
function isTypeMeta(schema: StructSchema<Fields>, name: string): boolean {
  return schema.root && !Object.hasOwn(schema.fields, name);
}

const depthMax = 6;
const keys = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom("7", "10", "__proto__", "a.b/c"),
);
const seconds = fc
  .integer({ min: 1, max: 4e9 })
  .map((value) => new Date(value * 1000).toISOString());
/** No keys like integers: of free JSON nobody keeps where those stood. */
const freeJson = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom("a", "b", "<", "é") });
const jsonObject = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), freeJson, { maxKeys: 2 });

const scalars: Readonly<Record<ScalarName, Arbitrary<unknown>>> = {
  string: fc.string({ unit: "grapheme", maxLength: 12 }),
  bool: fc.boolean(),
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  bytes: fc.uint8Array({ maxLength: 9 }).map((value) => Buffer.from(value).toString("base64")),
  time: seconds.map((text) => `${text.slice(0, 19)}Z`),
  microTime: seconds.map((text) => `${text.slice(0, 23)}123Z`),
  quantity: fc
    .tuple(fc.nat(99999), fc.constantFrom("", "m", "Ki", "G", "e3"))
    .map((x) => x.join("")),
  intOrString: fc.oneof(fc.integer(), fc.string({ maxLength: 5 })),
  duration: fc.nat().map((value) => `${value}ms`),
  any: jsonObject,
  object: jsonObject,
  fields: jsonObject,
};
