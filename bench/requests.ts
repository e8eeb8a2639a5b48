import type { HttpClient, HttpResponse } from "#base/http.ts";

/** Requests that wait for their answers at one time. */
const inFlight = 64;

export const pods = "/api/v1/namespaces/default/pods";

/** Errors: what is answered with 400 or more. */
export async function ask(http: HttpClient, method: string, path: string, body?: string): Promise<HttpResponse> {
  const response = await http.request({
    method,
    path,
    headers: { accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body }),
  });
  if (response.status < 400) return response;
  throw new Error(`${method} ${path}: ${response.status} ${Buffer.from(await response.readAll()).toString()}`);
}

/** Asks, and reads the answer away. */
export async function done(http: HttpClient, method: string, path: string, body?: string): Promise<void> {
  await (await ask(http, method, path, body)).readAll();
}

/** Calls `send` for each number, some at a time; calls for each second. */
export async function rate(from: number, to: number, send: (i: number) => Promise<void>): Promise<number> {
  let next = from;
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (next < to) await send(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (to - from) / ((performance.now() - began) / 1000);
}

/** A Pod as people write it, some 1,100 bytes of JSON. */
export function podOf(i: number, note = "first"): string {
  const container = {
    name: "main",
    image: "registry.example/app:1",
    env: Array.from({ length: 10 }, (_, n) => ({ name: `SETTING_${n}`, value: `value-${n}-of-this-setting` })),
    resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } },
    ports: [{ containerPort: 8080 }],
  };
  const annotations = { note, filler: "x".repeat(200) };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `bench-${i}`, labels: { app: "bench", shard: String(i % 10) }, annotations },
    spec: { containers: [container] },
  });
}
