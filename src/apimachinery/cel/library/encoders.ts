import { defineLibrary } from "../declaration.ts";
import { CelError } from "../value.ts";

function decode(text: string): Uint8Array {
  const unpadded = text.replace(/={0,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(unpadded) || unpadded.length % 4 === 1) {
    throw new CelError("illegal base64 data");
  }
  return new Uint8Array(Buffer.from(unpadded, "base64"));
}

/**
 * `base64.encode` and `base64.decode`. Not part of Kubernetes' environments. Source: cel-go
 * ext/encoders.go.
 */
export const encodersLibrary = defineLibrary({
  name: "cel.lib.ext.encoders",
  rows: [
    ["base64_decode_string", "base64.decode(string) -> bytes", decode],
    [
      "base64_encode_bytes",
      "base64.encode(bytes) -> string",
      (bytes: Uint8Array) => Buffer.from(bytes).toString("base64"),
    ],
  ],
});
