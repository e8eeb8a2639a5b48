import type { KubeObject } from "#apimachinery/object.ts";
import type { ApiRequest } from "#client/transport.ts";

type Answer =
  | { readonly action: "answer"; readonly object: KubeObject }
  | { readonly action: "store"; readonly object: KubeObject }
  | { readonly action: "delete"; readonly options: object };

type Loose = KubeObject & {
  readonly spec?: Record<string, unknown>;
  readonly status?: Record<string, unknown>;
  readonly target?: { readonly name?: string };
  readonly deleteOptions?: object;
};

/** What the fake API makes of `binding`, `eviction`, `scale`, `finalize`, `token` and the like. */
export function fakeSubresource(request: ApiRequest, object: KubeObject): Answer {
  const current = object as Loose;
  const body = (request.body ?? {}) as Loose;
  const { replicas = 0, selector } = (current.spec ?? {}) as {
    replicas?: number;
    selector?: unknown;
  };
  switch (request.subresource) {
    case "binding":
      return store({ ...current, spec: { ...current.spec, nodeName: body.target?.name } });
    case "eviction":
      return { action: "delete", options: body.deleteOptions ?? {} };
    case "scale":
      if (request.verb === "update") {
        return store({ ...current, spec: { ...current.spec, replicas: body.spec?.["replicas"] } });
      }
      return answer({
        kind: "Scale",
        apiVersion: "autoscaling/v1",
        metadata: current.metadata,
        spec: { replicas },
        status: { replicas: current.status?.["replicas"] ?? 0, selector },
      } as KubeObject);
    case "token":
      return answer({
        ...body,
        status: { token: `token-of-${request.name}`, expirationTimestamp: "2030-01-01T00:00:00Z" },
      } as KubeObject);
    default:
      return store({ ...current, ...body, metadata: current.metadata });
  }
}

function store(object: Loose): Answer {
  return { action: "store", object };
}

function answer(object: KubeObject): Answer {
  return { action: "answer", object };
}

/** RFC 7396; lists are replaced, also where a strategic patch would merge them. */
export function mergePatch<T>(target: T, patch: unknown): T {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch as T;
  const base =
    typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged as T;
}
