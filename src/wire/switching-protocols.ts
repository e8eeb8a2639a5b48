import type { HttpExchange, UpgradedSocket } from "#base/http.ts";

/** The answer that ends HTTP on a connection; writes it and hands the connection over. */
export function switchProtocols(
  exchange: HttpExchange,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): UpgradedSocket | undefined {
  const taken = exchange.upgrade?.take();
  if (taken === undefined) return undefined;
  let text = "HTTP/1.1 101 Switching Protocols\r\n";
  for (const [name, values] of Object.entries(headers)) {
    for (const value of [values ?? []].flat()) text += `${name}: ${value}\r\n`;
  }
  taken.socket.write(`${text}\r\n`);
  return taken;
}

/** The values of a header that may be repeated or hold a list. */
export function listedValues(exchange: HttpExchange, name: string): string[] {
  return exchange
    .headerValues(name)
    .flatMap((value) => value.split(","))
    .map((value) => value.trim())
    .filter((value) => value !== "");
}

export function isUpgradeTo(exchange: HttpExchange, protocol: string): boolean {
  return exchange.upgrade?.protocol.toLowerCase() === protocol.toLowerCase();
}

/** Refuses as net/http's `http.Error` does. */
export function refuse(
  exchange: HttpExchange,
  status: number,
  message: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): undefined {
  const plain = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  };
  exchange.respond(status, { ...plain, ...headers }, `${message}\n`);
  return undefined;
}
