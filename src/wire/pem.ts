export interface PemBlock {
  /** `CERTIFICATE`, `CERTIFICATE REQUEST`, `PRIVATE KEY`, ... */
  readonly type: string;
  readonly bytes: Uint8Array;
}

const block =
  /-----BEGIN ([A-Z0-9 ]+)-----\r?\n((?:[^-:\n]+:[^\n]*\n)*)([A-Za-z0-9+/=\s]*)-----END \1-----/g;

/** The blocks of a PEM text in their order; whatever stands between them is skipped, as in Go. */
export function parsePem(text: string): PemBlock[] {
  return [...text.matchAll(block)].map(([, type = "", , body = ""]) => ({
    type,
    bytes: Buffer.from(body.replaceAll(/\s/g, ""), "base64"),
  }));
}

export function writePem(type: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  const body = lines.map((line) => `${line}\n`).join("");
  return `-----BEGIN ${type}-----\n${body}-----END ${type}-----\n`;
}
