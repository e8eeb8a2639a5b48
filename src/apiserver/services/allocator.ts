import { ipAddresses, type IPAddress } from "#api/networking/v1/ip-address.ts";
import { needsHealthCheck } from "#api/core/v1/service-defaults.ts";
import { keepAllocatedValues } from "#api/core/v1/service-strategy.ts";
import type { Service, ServiceSpec } from "#api/core/v1/service.ts";
import { type FieldError, invalid } from "#apimachinery/field-error.ts";
import { internal, invalidStatus, isAlreadyExists, isNotFound } from "#apimachinery/status.ts";
import type { Client } from "#client/client.ts";
import type { Random } from "#base/random.ts";
import { type Call, isDryRun } from "../call.ts";
import type { WriteFinisher, WriteHooks } from "../rest/rest.ts";
import type { LiveSet } from "../storage/live-set.ts";
import { initFamilies } from "./families.ts";
import type { PortClaims } from "./port-claims.ts";
import { addressFor, clusterAddresses } from "./service-address.ts";
import { contains, type IpRange, parseRange, staticBand, toAddress } from "./ip-range.ts";

const nodePortMin = 30_000;
const nodePortMax = 32_767;
/** Lower node ports are left to those that people choose. Source: portallocator. */
const nodePortStaticBand = 86;
const triesMax = 4096;

export interface ServiceAllocatorOptions {
  readonly client: () => Client;
  readonly services: LiveSet<Service>;
  readonly addresses: LiveSet<IPAddress>;
  /** Where several API servers may give out ports. */
  readonly claims: PortClaims | undefined;
  readonly random: Random;
  readonly cidr: string;
}

/**
 * Gives Services their cluster addresses (booked as IPAddress objects) and node ports, and takes
 * them back. Source: registry/core/service/storage/alloc.go.
 */
export function serviceAllocator(options: ServiceAllocatorOptions): WriteHooks {
  const range = parseRange(options.cidr);
  /** Ports given to Services whose write is under way. */
  const pendingPorts = new Set<number>();
  const allocation = { ...options, range, pendingPorts };
  return {
    beginCreate: (object, call) => begin(allocation, call, { service: object as Service }),
    beginUpdate: (object, old, call) =>
      call.subresource === ""
        ? begin(allocation, call, { service: object as Service, old: old as Service })
        : Promise.resolve(undefined),
    async afterDelete(object) {
      for (const address of clusterAddresses(object as Service)) await release(options, address);
    },
  };
}

interface Allocation extends ServiceAllocatorOptions {
  readonly range: IpRange;
  readonly pendingPorts: Set<number>;
}

interface Change {
  readonly service: Service;
  readonly old?: Service;
}

async function begin(allocation: Allocation, call: Call, change: Change): Promise<WriteFinisher | undefined> {
  const { service, old } = change;
  const spec = (service.spec ??= {} as ServiceSpec);
  if (old !== undefined) keepAllocatedValues(service, old);
  keepFamilies(spec, old?.spec);
  const faults = initFamilies(service, old);
  if (faults.length > 0) {
    throw invalidStatus({ group: "", kind: "Service" }, service.metadata?.name ?? "", faults);
  }
  const booked: string[] = [];
  if (hasClusterAddress(spec)) await allocateAddresses(allocation, call, { service, booked, old });
  const ports = await allocatePorts(allocation, call, change);
  return async (succeeded) => {
    await ports.release();
    if (!succeeded) for (const address of booked) await release(allocation, address);
    if (succeeded && old !== undefined) await releaseDropped(allocation, service, old);
  };
}

function hasClusterAddress({ type, clusterIP }: ServiceSpec): boolean {
  return type !== "ExternalName" && clusterIP !== "None";
}

/** An update that leaves families out keeps those that it has. */
function keepFamilies(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  if (old === undefined || spec.type === "ExternalName" || old.type === "ExternalName") return;
  if ((spec.ipFamilies?.length ?? 0) === 0 && old.ipFamilies) spec.ipFamilies = [...old.ipFamilies];
  spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
}

function needsNodePorts({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
}

interface Booking {
  readonly service: Service;
  readonly booked: string[];
  readonly old: Service | undefined;
}

async function allocateAddresses(allocation: Allocation, call: Call, booking: Booking): Promise<void> {
  const { service, booked, old } = booking;
  const spec = service.spec as ServiceSpec;
  const asked = spec.clusterIP || spec.clusterIPs?.[0] || "";
  // What a Service has once it keeps: another address is for validation to refuse.
  if (old !== undefined && clusterAddresses(old).length > 0) return;
  if (asked !== "") {
    if (!contains(allocation.range, asked)) {
      throw refuse(service, `failed to allocate IP ${asked}: the provided network does not match the current range`);
    }
    if (!(await book(allocation, call, { service, address: asked, booked }))) {
      throw refuse(service, `failed to allocate IP ${asked}: provided IP is already allocated`);
    }
    spec.clusterIP = asked;
    spec.clusterIPs = [asked];
    return;
  }
  const address = await allocateAny(allocation, call, { service, booked });
  spec.clusterIP = address;
  spec.clusterIPs = [address];
}

function refuse(service: Service, detail: string): Error {
  return invalidStatus({ group: "", kind: "Service" }, service.metadata?.name ?? "", [
    invalid("spec.clusterIPs", service.spec?.clusterIPs ?? [service.spec?.clusterIP], detail),
  ]);
}

/** A free address of the upper band, or of the whole range when that is full. */
async function allocateAny(
  allocation: Allocation,
  call: Call,
  spec: { service: Service; booked: string[] },
): Promise<string> {
  const { range, addresses, random } = allocation;
  const band = staticBand(range);
  for (const [from, size] of [[band, range.size - band], [0, band]] as const) {
    const start = random.below(Math.max(size, 1));
    for (let i = 0; i < Math.min(size, triesMax); i++) {
      const address = toAddress(range.first + from + ((start + i) % size));
      if (addresses.get("", address) !== undefined) continue;
      if (await book(allocation, call, { ...spec, address })) return address;
    }
  }
  throw internal("failed to allocate a serviceIP: range is full");
}

async function book(
  allocation: Allocation,
  call: Call,
  { service, address, booked }: { service: Service; address: string; booked: string[] },
): Promise<boolean> {
  if (isDryRun(call)) return allocation.addresses.get("", address) === undefined;
  try {
    await allocation.client().resource(ipAddresses).create(addressFor(service, address));
    booked.push(address);
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}

async function release({ client }: Pick<ServiceAllocatorOptions, "client">, address: string): Promise<void> {
  await client()
    .resource(ipAddresses)
    .delete(address)
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
}

async function releaseDropped(allocation: Allocation, service: Service, old: Service): Promise<void> {
  const kept = clusterAddresses(service);
  for (const address of clusterAddresses(old)) {
    if (!kept.includes(address)) await release(allocation, address);
  }
}

interface GivenPorts {
  release(): Promise<void>;
}

/** Gives out node ports, which stay taken until they are released after the write. */
async function allocatePorts(allocation: Allocation, call: Call, change: Change): Promise<GivenPorts> {
  const { pendingPorts } = allocation;
  const claims = isDryRun(call) ? undefined : allocation.claims;
  const { service } = change;
  const spec = service.spec as ServiceSpec;
  const asked = { ports: spec.ports?.map((port) => ({ ...port })), healthCheckNodePort: spec.healthCheckNodePort };
  let lost: readonly number[] = [];
  for (;;) {
    const given = [...new Set(choosePorts(allocation, { ...change, lost }))];
    const unpend = (): void => given.forEach((port) => pendingPorts.delete(port));
    if (claims === undefined || given.length === 0) return { release: async () => unpend() };
    const release = (): Promise<void> => claims.release(given).finally(unpend);
    try {
      lost = await claims.take(given);
    } catch (error) {
      unpend();
      throw error;
    }
    if (lost.length > 0) unpend();
    else {
      const served = servedPorts(allocation, service);
      if (!given.some((port) => served.has(port))) return { release };
      await release();
    }
    Object.assign(spec, structuredClone(asked));
  }
}

/** Returns the ports that were given out now, which are pending from then on. */
function choosePorts(allocation: Allocation, { service, old, lost }: Change & { readonly lost: readonly number[] }): number[] {
  const spec = service.spec as ServiceSpec;
  if (!needsNodePorts(spec)) return [];
  const own = new Set((old?.spec?.ports ?? []).map(({ nodePort }) => nodePort));
  const taken = servedPorts(allocation, service);
  for (const port of [...allocation.pendingPorts, ...lost]) taken.add(port);
  const given: number[] = [];
  const errors: FieldError[] = [];
  for (const [i, port] of (spec.ports ?? []).entries()) {
    const asked = port.nodePort ?? 0;
    if (asked !== 0) {
      if (own.has(asked)) continue;
      const problem = portProblem(asked, taken, spec, i);
      if (problem !== undefined) errors.push(invalid(`spec.ports[${i}].nodePort`, asked, problem));
      else given.push(take(allocation, asked));
      continue;
    }
    const twin = (spec.ports ?? []).find((other) => other !== port && other.port === port.port && other.nodePort);
    port.nodePort = twin?.nodePort ?? take(allocation, freePort(allocation, taken));
    taken.add(port.nodePort);
    given.push(port.nodePort);
  }
  if (needsHealthCheck(service) && !spec.healthCheckNodePort && errors.length === 0) {
    spec.healthCheckNodePort = take(allocation, freePort(allocation, taken));
    given.push(spec.healthCheckNodePort);
  }
  if (errors.length === 0) return given;
  for (const port of given) allocation.pendingPorts.delete(port);
  throw invalidStatus({ group: "", kind: "Service" }, service.metadata?.name ?? "", errors);
}

function take({ pendingPorts }: Allocation, port: number): number {
  pendingPorts.add(port);
  return port;
}

/** Ports of all Services but this one. */
function servedPorts({ services }: Allocation, service: Service): Set<number> {
  const taken = new Set<number>();
  for (const other of services.values()) {
    if (other.metadata?.uid === service.metadata?.uid) continue;
    for (const { nodePort } of other.spec?.ports ?? []) if (nodePort) taken.add(nodePort);
    const health = other.spec?.healthCheckNodePort;
    if (health) taken.add(health);
  }
  return taken;
}

function portProblem(port: number, taken: ReadonlySet<number>, spec: ServiceSpec, index: number): string | undefined {
  if (port < nodePortMin || port > nodePortMax) {
    return `provided port is not in the valid range. The range of valid ports is ${nodePortMin}-${nodePortMax}`;
  }
  // Ports of one Service may share a number when their protocols differ.
  const earlier = (spec.ports ?? []).slice(0, index).filter(({ nodePort }) => nodePort === port);
  const clashes = earlier.some(({ protocol }) => protocol === spec.ports?.[index]?.protocol);
  const isTaken = clashes || (taken.has(port) && earlier.length === 0);
  return isTaken ? "provided port is already allocated" : undefined;
}

function freePort({ random }: Allocation, taken: ReadonlySet<number>): number {
  const first = nodePortMin + nodePortStaticBand;
  const size = nodePortMax - first + 1;
  const start = random.below(size);
  for (let i = 0; i < size; i++) {
    const port = first + ((start + i) % size);
    if (!taken.has(port)) return port;
  }
  for (let port = nodePortMin; port < first; port++) if (!taken.has(port)) return port;
  throw internal("failed to allocate a nodePort: range is full");
}
