/** Fields of CRI messages in the shapes that the kubelet uses: numbers and plain objects. */
import {
  bool,
  bytes,
  type Field,
  int32,
  mapOf,
  message,
  nested,
  repeated,
  safeInt,
  string,
} from "#wire/protobuf.ts";
import { setOwn } from "#apimachinery/maps.ts";

export { bool, bytes as bin, int32, message, nested as one, string as str };
/** As a number: exact up to 2^53, nanosecond times to a quarter of a microsecond. */
export { safeInt as int64 };

export function strs(number: number) {
  return repeated(string(number));
}

export function ints(number: number) {
  return repeated(safeInt(number));
}

export function many<In, Out>(number: number, of: Parameters<typeof nested<In, Out>>[1]) {
  return repeated(nested(number, of));
}

type Texts = Readonly<Record<string, string>>;

/** `map<string, string>` as an object. */
export function texts(number: number): Field<Texts, Texts> {
  const map = mapOf(number, string(2));
  const empty = new Map<string, string>();
  return {
    number,
    // Only its initial value is read: the field writes and merges by itself.
    value: { ...map.value, initial: {} } as unknown as Field<Texts, Texts>["value"],
    write: (out, record) => map.write(out, new Map(Object.entries(record))),
    merge(before, from, wireType, depth) {
      const record: Record<string, string> = { ...before };
      for (const [key, text] of map.merge(empty, from, wireType, depth)) setOwn(record, key, text);
      return record;
    },
  };
}
