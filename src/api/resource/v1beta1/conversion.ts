import type { KubeObject } from "#apimachinery/object.ts";
import type { Conversion } from "#apimachinery/resource.ts";
import type {
  DeviceRequest as Stored,
  ResourceClaimSpec as StoredSpec,
} from "../v1/resource-claim-spec.ts";
import type { Device as StoredDevice, ResourceSlice as StoredSlice } from "../v1/resource-slice.ts";
import type { DeviceRequest, ResourceClaimSpec } from "./resource-claim-spec.ts";
import type { Device, ResourceSlice } from "./resource-slice.ts";

/** v1beta1 has the fields of `exactly` in the request itself, and a `basic` in devices. */
const exactFields = [
  "deviceClassName",
  "selectors",
  "allocationMode",
  "count",
  "adminAccess",
  "tolerations",
  "capacity",
] as const;

function requestToStored(request: DeviceRequest): Stored {
  const { name, firstAvailable, ...exact } = request;
  const isExact = exactFields.some((field) => {
    const value = exact[field];
    return value !== undefined && value !== "" && value !== 0;
  });
  return {
    name,
    ...(isExact && { exactly: exact }),
    ...(firstAvailable !== undefined && { firstAvailable }),
  };
}

function requestFromStored({ name, exactly, firstAvailable }: Stored): DeviceRequest {
  return {
    name,
    deviceClassName: "",
    ...exactly,
    ...(firstAvailable !== undefined && { firstAvailable }),
  };
}

function specToStored({ devices, ...spec }: ResourceClaimSpec): StoredSpec {
  return { ...spec, devices: { ...devices, requests: devices.requests.map(requestToStored) } };
}

function specFromStored({ devices, ...spec }: StoredSpec): ResourceClaimSpec {
  return { ...spec, devices: { ...devices, requests: devices.requests.map(requestFromStored) } };
}

interface Claim extends KubeObject {
  spec: ResourceClaimSpec;
}

interface Template extends KubeObject {
  spec: { spec: ResourceClaimSpec };
}

interface StoredClaim extends KubeObject {
  spec: StoredSpec;
}

interface StoredTemplate extends KubeObject {
  spec: { spec: StoredSpec };
}

export const claimConversion: Conversion = {
  toStorage(object) {
    const claim = object as Claim;
    return { ...claim, spec: specToStored(claim.spec) } as KubeObject;
  },
  fromStorage(object) {
    const claim = object as StoredClaim;
    return { ...claim, spec: specFromStored(claim.spec) } as KubeObject;
  },
};

export const claimTemplateConversion: Conversion = {
  toStorage(object) {
    const { spec, ...template } = object as Template;
    return { ...template, spec: { ...spec, spec: specToStored(spec.spec) } } as KubeObject;
  },
  fromStorage(object) {
    const { spec, ...template } = object as StoredTemplate;
    return { ...template, spec: { ...spec, spec: specFromStored(spec.spec) } } as KubeObject;
  },
};

function deviceToStored({ name, basic }: Device): StoredDevice {
  return { name, ...basic };
}

function deviceFromStored({ name, ...basic }: StoredDevice): Device {
  return { name, basic };
}

export const sliceConversion: Conversion = {
  toStorage(object) {
    const { spec, ...slice } = object as ResourceSlice;
    const { devices, nodeName, allNodes, ...fields } = spec;
    const stored: StoredSlice = {
      ...slice,
      spec: {
        ...fields,
        ...(nodeName && { nodeName }),
        ...(allNodes === true && { allNodes }),
        ...(devices !== undefined && { devices: devices.map(deviceToStored) }),
      },
    };
    return stored as KubeObject;
  },
  fromStorage(object) {
    const { spec, ...slice } = object as StoredSlice;
    const { devices, ...fields } = spec;
    const own: ResourceSlice = {
      ...slice,
      spec: { ...fields, ...(devices !== undefined && { devices: devices.map(deviceFromStored) }) },
    };
    return own as KubeObject;
  },
};
