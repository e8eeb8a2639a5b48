import { apiVersionOf, parseApiVersion } from "#apimachinery/object.ts";
import type { Identity } from "./graph.ts";

/** Most owners remembered as gone. */
const absentMax = 500;

/** Objects known to be gone for good: a uid is never given twice. The newest are remembered. */
export class AbsentOwners {
  readonly #places = new Set<string>();

  has(identity: Identity): boolean {
    return this.#places.has(placeOf(identity));
  }

  add(identity: Identity): void {
    this.#places.add(placeOf(identity));
    const oldest = this.#places.values().next().value;
    if (this.#places.size > absentMax && oldest !== undefined) this.#places.delete(oldest);
  }
}

/** A reference may name a uid in the wrong place: it is absent there only. */
function placeOf({ namespace, uid, name, apiVersion, kind }: Identity): string {
  const { group } = parseApiVersion(apiVersion);
  return [uid, apiVersionOf(group, kind), namespace, name].join("|");
}
