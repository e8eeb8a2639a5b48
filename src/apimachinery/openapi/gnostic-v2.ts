export function encodeSwagger(_: object): Uint8Array { return new Uint8Array(); }
