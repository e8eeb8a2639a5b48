import type { Endpoint, EndpointPort, EndpointSlice } from "#api/discovery/v1/endpoint-slice.ts";
import { deepEqual, semanticEqual } from "#apimachinery/deep-equal.ts";
import { canonicalJson } from "../framework/hash.ts";

/** Endpoints that share their ports; named target ports may differ from Pod to Pod. */
export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export interface SlicePlan {
  /** Contents of slices to make. */
  readonly create: readonly EndpointGroup[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

export interface SlicePlanOptions {
  /** Most endpoints in one slice. */
  readonly endpointsMax: number;
  /** Keeps one empty slice when there is no endpoint, so that watchers see the Service. */
  readonly placeholder: boolean;
  /** Brings labels and owner of a slice up to date; the same object when they are. */
  readonly refresh: (slice: EndpointSlice) => EndpointSlice;
}

/**
 * Changes as few slices as it can: endpoints stay in the slice they are in, new ones fill slices
 * that change anyway, then the fullest with room, and only then a new slice.
 * Source: staging endpointslice/reconciler.go reconcileByPortMapping.
 */
export function planSlices(
  existing: readonly EndpointSlice[],
  groups: readonly EndpointGroup[],
  options: SlicePlanOptions,
): SlicePlan {
  const wanted = new Map(groups.map((group) => [portsKey(group.ports), group]));
  const byPorts = Map.groupBy(existing, ({ ports }) => portsKey(ports ?? []));
  const create: EndpointGroup[] = [];
  const update: EndpointSlice[] = [];
  const unused: EndpointSlice[] = [];
  for (const [key, group] of wanted) {
    const plan = planGroup(byPorts.get(key) ?? [], group, options);
    create.push(...plan.create);
    update.push(...plan.update);
    unused.push(...plan.remove);
  }
  for (const [key, slices] of byPorts) if (!wanted.has(key)) unused.push(...slices);
  const kept = existing.length - unused.length + create.length;
  if (kept === 0 && options.placeholder) create.push({ ports: [], endpoints: [] });
  // A slice that is no longer needed takes up what would be a new one.
  while (create.length > 0) {
    const slice = unused.shift();
    const content = slice && create.shift();
    if (content === undefined || slice === undefined) break;
    const next = options.refresh({
      ...slice,
      ports: [...content.ports],
      endpoints: [...content.endpoints],
    });
    if (!semanticEqual(next, slice)) update.push(next);
  }
  return { create, update, remove: unused };
}

function planGroup(
  existing: readonly EndpointSlice[],
  group: EndpointGroup,
  options: SlicePlanOptions,
): SlicePlan {
  const missing = new Map(group.endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const slots = existing.map((slice) => {
    const kept: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const wanted = missing.get(endpointKey(endpoint));
      if (wanted === undefined || kept.length >= options.endpointsMax) continue;
      kept.push(semanticEqual(wanted, endpoint) ? endpoint : wanted);
      missing.delete(endpointKey(endpoint));
    }
    return { slice, kept, changed: !deepEqual(kept, slice.endpoints ?? []) };
  });
  const rest = [...missing.values()];
  const fullest = slots.toSorted(
    (a, b) => Number(b.changed) - Number(a.changed) || b.kept.length - a.kept.length,
  );
  for (const slot of fullest) {
    const room = options.endpointsMax - slot.kept.length;
    const fits = slot.changed || rest.length <= room;
    if (rest.length === 0 || room <= 0 || !fits) continue;
    slot.kept.push(...rest.splice(0, room));
    slot.changed = true;
  }
  const create: EndpointGroup[] = [];
  while (rest.length > 0)
    create.push({ ports: group.ports, endpoints: rest.splice(0, options.endpointsMax) });
  const empty = slots.filter(({ kept }) => kept.length === 0);
  return {
    create,
    remove: empty.map(({ slice }) => slice),
    update: slots
      .filter(({ kept }) => kept.length > 0)
      .flatMap(({ slice, kept, changed }) => {
        const next = options.refresh(changed ? { ...slice, endpoints: kept } : slice);
        return changed || !semanticEqual(next, slice) ? [next] : [];
      }),
  };
}

export function portsKey(ports: readonly EndpointPort[]): string {
  return ports.map(canonicalJson).toSorted().join("|");
}

/** What makes two endpoints the same one. */
function endpointKey({ addresses, targetRef, hostname }: Endpoint): string {
  return [
    targetRef?.kind,
    targetRef?.namespace,
    targetRef?.name,
    targetRef?.uid,
    hostname,
    ...addresses,
  ].join("|");
}
