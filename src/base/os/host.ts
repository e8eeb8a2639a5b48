import { hostname, networkInterfaces } from "node:os";

/** The machine's IPv4 addresses that are not loopback or link-local, in the system's order. */
export function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal, address }) => family === "IPv4" && !internal && !address.startsWith("169.254."))
    .map(({ address }) => address);
}

export function hostName(): string {
  return hostname();
}
