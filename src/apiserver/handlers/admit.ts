import type { GroupVersionKind, KubeObject } from "#apimachinery/object.ts";
import type { Call, Endpoint } from "../call.ts";
import type { HandlerContext } from "./handler.ts";

/**
 * Runs admission for a POST whose body is stored nowhere (a binding, an eviction, a review) and
 * returns the body as the mutators left it.
 */
export async function admitPosted<T extends KubeObject>(
  { rest }: HandlerContext,
  endpoint: Endpoint,
  {
    call,
    object,
    kind,
  }: { readonly call: Call; readonly object: T; readonly kind: GroupVersionKind },
): Promise<T> {
  const request = {
    operation: "CREATE",
    call,
    endpoint,
    definition: endpoint.hub,
    name: call.name || object.metadata?.name || "",
    kind,
    object,
  } as const;
  const mutated = ((await rest.admission.mutate(request)) ?? object) as T;
  await rest.admission.validate({ ...request, object: mutated });
  return mutated;
}
