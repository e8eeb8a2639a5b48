import type { APIService, APIServiceCondition } from "#api/apiregistration/v1/api-service.ts";
import type { HttpClient } from "#base/http.ts";
import { type ServiceEndpoints, slicesOf } from "../webhooks/service-endpoint.ts";
import { aggregatorUser, type RemoteTarget, remoteUserHeaders, targetOf } from "./remote-service.ts";

/** An Available condition before its time is known. */
export type Availability = Pick<APIServiceCondition, "status" | "reason" | "message">;

const checkTimeoutMs = 5000;
const portDefault = 443;

/**
 * Whether requests for a group version can be passed on now.
 * Source: kube-aggregator pkg/controllers/status/remote/remote_available_controller.go.
 */
export async function checkAvailability(
  service: APIService,
  {
    endpoints,
    clientOf,
  }: {
    readonly endpoints: ServiceEndpoints;
    readonly clientOf: (target: RemoteTarget) => HttpClient;
  },
): Promise<Availability> {
  const missing = findMissing(service, endpoints);
  if (missing !== undefined) return missing;
  const { group = "", version = "" } = service.spec;
  const target = targetOf(service, endpoints);
  const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const url = target.baseUrl + path;
  const fail = (why: string): Availability => ({
    status: "False",
    reason: "FailedDiscoveryCheck",
    message: `failing or missing response from ${url}: ${why}`,
  });
  try {
    const headers = remoteUserHeaders(aggregatorUser);
    const response = await clientOf(target).request({ method: "GET", path, headers, timeoutMs: checkTimeoutMs });
    response.discard();
    if (response.status >= 200 && response.status < 300) return passed;
    return fail(`bad status from ${url}: ${response.status}`);
  } catch (error) {
    return fail(`Get ${JSON.stringify(url)}: ${(error as Error).message}`);
  }
}

const passed: Availability = { status: "True", reason: "Passed", message: "all checks passed" };

function findMissing({ spec }: APIService, { services, slices }: ServiceEndpoints): Availability | undefined {
  const { namespace = "", name = "", port = portDefault } = spec.service ?? {};
  const service = services.get(namespace, name);
  const where = `service/${name} in ${JSON.stringify(namespace)}`;
  if (service === undefined) return unavailable("ServiceNotFound", `${where} is not present`);
  const { type, ports = [] } = service.spec ?? {};
  if (type !== undefined && type !== "" && type !== "ClusterIP") return undefined;
  const found = ports.find((one) => one.port === port);
  if (found === undefined) {
    return unavailable("ServicePortError", `${where} is not listening on port ${port}`);
  }
  const own = slicesOf(slices, { namespace, name });
  if (own.length === 0) {
    return unavailable("EndpointsNotFound", `cannot find endpointslices for ${where}`);
  }
  const hasReady = own.some(
    (slice) =>
      slice.ports?.some((one) => (one.name ?? "") === (found.name ?? "")) === true &&
      slice.endpoints?.some(({ conditions }) => conditions?.ready !== false) === true,
  );
  if (hasReady) return undefined;
  const message = `endpointslices for ${where} have no addresses with port name ${JSON.stringify(found.name ?? "")}`;
  return unavailable("MissingEndpoints", message);
}

function unavailable(reason: string, message: string): Availability {
  return { status: "False", reason, message };
}

export function isAvailable({ status }: APIService): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Available" && is === "True") === true;
}

/** A copy with the condition set; itself when it says that already. `time` is RFC 3339. */
export function withAvailability(service: APIService, availability: Availability, time: string): APIService {
  const conditions = service.status?.conditions ?? [];
  const before = conditions.find(({ type }) => type === "Available");
  const { status, reason, message } = availability;
  if (before?.status === status && before.reason === reason && before.message === message) return service;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : time;
  const condition = { type: "Available", status, lastTransitionTime, reason, message };
  const changed =
    before === undefined ? [...conditions, condition] : conditions.map((one) => (one === before ? condition : one));
  return { ...service, status: { ...service.status, conditions: changed } };
}
