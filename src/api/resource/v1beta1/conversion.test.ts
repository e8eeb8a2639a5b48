import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceClaim } from "./resource-claim.ts";
import type { ResourceSlice } from "./resource-slice.ts";
import { claimConversion, sliceConversion } from "./conversion.ts";

test("requests keep their fields in `exactly`", () => {
  const claim: ResourceClaim = {
    metadata: { name: "c" },
    spec: {
      devices: {
        requests: [
          { name: "a", deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 },
          {
            name: "b",
            deviceClassName: "",
            firstAvailable: [{ name: "x", deviceClassName: "gpu" }],
          },
        ],
      },
    },
  };
  const stored = claimConversion.toStorage(claim);
  assert.deepEqual((stored as { spec: unknown } & typeof stored).spec, {
    devices: {
      requests: [
        { name: "a", exactly: { deviceClassName: "gpu", allocationMode: "ExactCount", count: 2 } },
        { name: "b", firstAvailable: [{ name: "x", deviceClassName: "gpu" }] },
      ],
    },
  });
  assert.deepEqual(claimConversion.fromStorage(stored), claim);
});

test("devices lose their `basic`", () => {
  const slice: ResourceSlice = {
    metadata: { name: "s" },
    spec: {
      driver: "d.example.com",
      pool: { name: "p", generation: 1, resourceSliceCount: 1 },
      nodeName: "n",
      devices: [{ name: "x", basic: { attributes: { a: { int: 1 } } } }],
    },
  };
  const stored = sliceConversion.toStorage(slice);
  assert.deepEqual((stored as ResourceSlice).spec.devices, [
    { name: "x", attributes: { a: { int: 1 } } },
  ]);
  assert.deepEqual(sliceConversion.fromStorage(stored), slice);
});
