/**
 * `node:http` by another door: its exports as a module include WebSocket and others, and so importing it loads all of
 * Node's fetch, a tenth of the time that a server takes to start.
 */
export const nodeHttp = process.getBuiltinModule("node:http");
