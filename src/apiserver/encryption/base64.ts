/** Bytes of base64 as Go's StdEncoding takes it: padded, line breaks ignored; undefined when it is none. */
export function decodeBase64(text: string): Buffer | undefined {
  const packed = text.replace(/[\r\n]/g, "");
  const groups = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  return groups.test(packed) ? Buffer.from(packed, "base64") : undefined;
}
