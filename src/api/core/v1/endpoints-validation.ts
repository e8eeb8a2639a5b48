import { required } from "#apimachinery/field-error.ts";
import {
  type Findings,
  invalidTexts,
  validateDnsLabel,
  validateDnsSubdomain,
  validateQualifiedName,
  validateRequiredSupported,
} from "#apimachinery/validation/checks.ts";
import { validateLegacyIp, validateNonSpecialIp } from "#apimachinery/validation/ip.ts";
import { checkPortNumber } from "#apimachinery/validation/ports.ts";
import { protocols } from "./container-validation.ts";
import type { EndpointAddress, EndpointPort, Endpoints } from "./endpoints.ts";

/** Source: ValidateEndpoints in pkg/apis/core/validation. */
export function* validateEndpoints({ subsets = [] }: Endpoints, old?: Endpoints): Findings {
  const known = (old?.subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) =>
    [...addresses, ...notReadyAddresses].map(({ ip }) => ip),
  );
  for (const [i, { addresses = [], notReadyAddresses = [], ports = [] }] of subsets.entries()) {
    const at = `subsets[${i}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      yield required(at, "must specify `addresses` or `notReadyAddresses`");
    }
    for (const [name, list] of Object.entries({ addresses, notReadyAddresses })) {
      for (const [j, address] of list.entries()) {
        yield* validateAddress(address, `${at}.${name}[${j}]`, known);
      }
    }
    for (const [j, port] of ports.entries()) {
      yield* validatePort(port, `${at}.ports[${j}]`, ports.length > 1);
    }
  }
}

function* validateAddress(
  { ip, hostname = "", nodeName }: EndpointAddress,
  path: string,
  known: readonly string[],
): Findings {
  yield* validateLegacyIp(ip, `${path}.ip`, known);
  if (hostname !== "") yield* validateDnsLabel(hostname, `${path}.hostname`);
  if (nodeName !== undefined) yield* validateDnsSubdomain(nodeName, `${path}.nodeName`);
  yield* validateNonSpecialIp(ip, `${path}.ip`);
}

function* validatePort(port: EndpointPort, path: string, requireName: boolean): Findings {
  const { name = "" } = port;
  if (name !== "") yield* validateDnsLabel(name, `${path}.name`);
  else if (requireName) yield required(`${path}.name`, "");
  yield* invalidTexts(`${path}.port`, port.port, checkPortNumber(port.port));
  yield* validateRequiredSupported(port.protocol, protocols, `${path}.protocol`);
  if (port.appProtocol !== undefined) {
    yield* validateQualifiedName(port.appProtocol, `${path}.appProtocol`);
  }
}
