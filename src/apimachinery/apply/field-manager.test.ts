import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { deepEqual } from "../deep-equal.ts";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { isStatusError } from "../status.ts";
import { ObjectMeta } from "../meta/object-meta.ts";
import { kind, listOf, mapOf, opt, ptr, req, int32, string, struct } from "../schema.ts";
import {
  applyPatch,
  type ApplyPatchRequest,
  type FieldManagement,
  updateManagedFields,
  type UpdateRequest,
} from "./field-manager.ts";
import { fieldSetOfNames } from "./field-set.ts";
import { encodeManagers, updateManagersMax, withManagedFields } from "./managers.ts";
import { parentManagedFields, scaleManagedFields } from "./scale-managers.ts";
import { applySchemaOf } from "./struct-schema.ts";
import { applySchemaOfStructural } from "./structural-schema.ts";

const Item = struct("x.Item", { name: req(1, string), value: opt(2, string) });
const Kind = kind("x.Kind", {
  metadata: req(1, ObjectMeta),
  data: opt(2, mapOf(string)),
  items: opt(3, listOf(Item), { listType: "map", mapKeys: ["name"] }),
  tags: opt(4, listOf(string), { listType: "set" }),
  replicas: ptr(5, int32),
  status: opt(6, struct("x.Status", { phase: opt(1, string) })),
});
/** The second version calls `data` otherwise. */
const KindV2 = kind("x.KindV2", { metadata: req(1, ObjectMeta), entries: opt(2, mapOf(string)) });

const schemas = new Map([
  ["v1", applySchemaOf(Kind)],
  ["v2", applySchemaOf(KindV2)],
]);

interface Things extends KubeObject {
  data?: Record<string, string>;
  entries?: Record<string, string>;
}

const management: FieldManagement = {
  kind: "Kind",
  subresource: "",
  apiVersion: "v1",
  schemaOf: (apiVersion) => schemas.get(apiVersion),
  convert(object, apiVersion) {
    const { data, entries, metadata } = object as Things;
    const values = { ...data, ...entries };
    return {
      kind: "Kind",
      apiVersion,
      metadata,
      [apiVersion === "v2" ? "entries" : "data"]: values,
    };
  },
  filterOf: () => undefined,
};

const time = "2026-01-01T00:00:00Z";
const later = "2026-01-02T00:00:00Z";

function stored(object: object, entries?: ManagedFieldsEntry[]): KubeObject {
  const whole = { apiVersion: "v1", kind: "Kind", ...object } as KubeObject;
  const named = { ...whole, metadata: { name: "a", uid: "u", ...whole.metadata } };
  return entries === undefined ? named : withManagedFields(named, entries);
}

function update(request: Partial<UpdateRequest> & Pick<UpdateRequest, "updated">) {
  return updateManagedFields(management, { live: undefined, manager: "u", time, ...request });
}

/** Entries as `manager/operation: fields`. */
function print(entries: readonly ManagedFieldsEntry[] | undefined): string[] {
  return (entries ?? []).map(
    ({ manager, operation, fieldsV1 }) => `${manager}/${operation}: ${JSON.stringify(fieldsV1)}`,
  );
}

describe("updateManagedFields", () => {
  const created = update({ updated: stored({ data: { a: "1" } }) });
  const live = stored({ data: { a: "1" } }, created);

  it("gives a new object to whoever creates it", () => {
    assert.deepEqual(created, [
      {
        manager: "u",
        operation: "Update",
        apiVersion: "v1",
        time,
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { ".": {}, "f:a": {} } },
      },
    ]);
    assert.equal(update({ updated: stored({}) }), undefined);
    assert.deepEqual(print(update({ updated: stored({ replicas: 0 }), manager: "" })), [
      'unknown/Update: {"f:replicas":{}}',
    ]);
  });

  it("keeps the list itself when nothing changes", () => {
    const updated = structuredClone(live);
    const entries = update({ live, updated, manager: "other", time: later });
    assert.equal(entries, live.metadata?.managedFields);
  });

  it("moves what changed and stamps only whoever changed it", () => {
    const updated = stored({ data: { a: "2", b: "1" } });
    const entries = update({ live, updated, manager: "other", time: later });
    assert.deepEqual(print(entries), [
      'u/Update: {"f:data":{}}',
      'other/Update: {"f:data":{"f:a":{},"f:b":{}}}',
    ]);
    assert.deepEqual(
      entries?.map((entry) => entry.time),
      [time, later],
    );
  });

  it("takes what was removed from its owner without a new time", () => {
    const entries = update({ live, updated: stored({ data: {} }), manager: "other", time: later });
    assert.equal(entries, undefined);
    const two = stored(
      { data: { a: "1", b: "1" } },
      update({ updated: stored({ data: { a: "1", b: "1" } }) }),
    );
    const rest = update({ live: two, updated: stored({ data: { a: "1" } }), time: later });
    assert.deepEqual(print(rest), ['u/Update: {"f:data":{".":{},"f:a":{}}}']);
    assert.equal(rest?.[0]?.time, time);
  });

  it("tracks nothing on objects that nobody managed", () => {
    assert.equal(update({ live: stored({}), updated: stored({ data: { a: "1" } }) }), undefined);
  });

  for (const [name, sent, expected] of [
    ["an empty list", [], undefined],
    ["an empty entry", [{}], undefined],
    [
      "a bad operation",
      [{ manager: "x", operation: "Bad", apiVersion: "v1", fieldsType: "FieldsV1" }],
      "u",
    ],
    ["a bad type", [{ manager: "x", operation: "Apply", apiVersion: "v1", fieldsType: "V2" }], "u"],
    [
      "bad fields",
      [
        {
          manager: "x",
          operation: "Apply",
          apiVersion: "v1",
          fieldsType: "FieldsV1",
          fieldsV1: { bad: {} },
        },
      ],
      "u",
    ],
    [
      "other managers",
      [
        {
          manager: "x",
          operation: "Apply",
          apiVersion: "v1",
          fieldsType: "FieldsV1",
          fieldsV1: { "f:data": {} },
        },
      ],
      "x",
    ],
  ] as [string, ManagedFieldsEntry[], string | undefined][]) {
    it(`reads ${name} that a client sends`, () => {
      const updated = stored({ data: { a: "1" } }, sent);
      assert.equal(update({ live, updated, manager: "w" })?.[0]?.manager, expected);
    });
  }

  it("ignores what a client sends through a subresource", () => {
    const status = { ...management, subresource: "status" };
    const updated = stored({ data: { a: "1" }, status: { phase: "x" } }, []);
    const entries = updateManagedFields(status, { live, updated, manager: "s", time: later });
    assert.deepEqual(print(entries), [
      'u/Update: {"f:data":{".":{},"f:a":{}}}',
      's/Update: {"f:status":{"f:phase":{}}}',
    ]);
    assert.equal(entries?.[1]?.subresource, "status");
  });

  it("leaves out what the strategy resets", () => {
    const filtered = { ...management, filterOf: () => ({ exclude: fieldSetOfNames(["status"]) }) };
    const updated = stored({ data: { a: "1" }, status: { phase: "x" } });
    const entries = updateManagedFields(filtered, { live, updated, manager: "s", time });
    assert.equal(entries, live.metadata?.managedFields);
  });

  it("follows fields into the versions of their managers", () => {
    const v2 = created?.map((entry) => ({
      ...entry,
      apiVersion: "v2",
      fieldsV1: { "f:entries": { "f:a": {}, "f:b": {} } },
    }));
    const old = stored({ data: { a: "1", b: "1" } }, v2);
    const entries = update({
      live: old,
      updated: stored({ data: { a: "2", b: "1" } }),
      manager: "w",
    });
    assert.deepEqual(print(entries), [
      'u/Update: {"f:entries":{"f:b":{}}}',
      'w/Update: {"f:data":{"f:a":{}}}',
    ]);
    const gone = v2?.map((entry) => ({ ...entry, apiVersion: "v3" }));
    assert.equal(update({ live: stored({}, gone), updated: stored({}) }), undefined);
  });

  it("drops the managers of what is nested too deeply", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 20_000; i++) deep = { a: deep };
    const custom = { ...management, schemaOf: () => applySchemaOfStructural({ type: "object" }) };
    const updated = stored({ deep });
    assert.equal(
      updateManagedFields(custom, { live: undefined, updated, manager: "u", time }),
      undefined,
    );
  });

  it("merges the oldest updaters when there are too many", () => {
    let object = stored({ replicas: 1 }, update({ updated: stored({ replicas: 1 }) }));
    for (let i = 0; i < updateManagersMax + 2; i++) {
      const data = Object.fromEntries(Array.from({ length: i + 1 }, (_, k) => [`k${k}`, "1"]));
      const entries = update({
        live: object,
        updated: stored({ data }),
        manager: `m${i}`,
        time: `2026-01-01T00:00:${10 + i}Z`,
      });
      object = stored({ data }, entries);
    }
    const managers = object.metadata?.managedFields?.map(({ manager }) => manager);
    assert.equal(managers?.length, updateManagersMax);
    assert.equal(managers?.[0], "ancient-changes");
    assert.deepEqual(print(object.metadata?.managedFields).slice(0, 2), [
      'ancient-changes/Update: {"f:data":{".":{},"f:k0":{},"f:k1":{},"f:k2":{}}}',
      'm3/Update: {"f:data":{"f:k3":{}}}',
    ]);
  });
});

function apply(
  live: KubeObject | undefined,
  patch: object,
  options: Partial<ApplyPatchRequest> = {},
) {
  const whole = { apiVersion: "v1", kind: "Kind", metadata: { name: "a" }, ...patch };
  return applyPatch(management, {
    live,
    patch: whole,
    manager: "m",
    force: false,
    time,
    ...options,
  });
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isStatusError(error)) return `${error.status.code} ${error.status.message}`;
    throw error;
  }
  return "";
}

describe("applyPatch", () => {
  it("gives objects without managers to before-first-apply", () => {
    const object = apply(stored({ data: { a: "1", b: "1" } }), { data: { b: "1" } });
    assert.deepEqual(print(object.metadata?.managedFields), [
      'm/Apply: {"f:data":{"f:b":{}}}',
      'before-first-apply/Update: {"f:data":{".":{},"f:a":{},"f:b":{}}}',
    ]);
  });

  it("takes over by force", () => {
    const first = apply(undefined, { data: { a: "1", b: "1" } });
    const conflict = refusal(() => apply(first, { data: { a: "2" } }, { manager: "n" }));
    assert.equal(conflict, '409 Apply failed with 1 conflict: conflict with "m": .data.a');
    const forced = apply(first, { data: { a: "2" } }, { manager: "n", force: true });
    assert.deepEqual(print(forced.metadata?.managedFields), [
      'm/Apply: {"f:data":{"f:b":{}}}',
      'n/Apply: {"f:data":{"f:a":{}}}',
    ]);
  });

  it("prunes what nobody else owns", () => {
    const first = apply(undefined, {
      items: [{ name: "x", value: "1" }, { name: "y" }],
      tags: ["t"],
    });
    const shared = apply(first, { items: [{ name: "y" }] }, { manager: "n" });
    const second = apply(shared, { items: [{ name: "x" }] }) as KubeObject & { items: unknown };
    assert.deepEqual(second.items, [{ name: "x" }, { name: "y" }]);
    assert.equal((second as { tags?: unknown }).tags, undefined);
    assert.equal(second.metadata?.name, "a");
  });

  it("prunes in the version that was applied before", () => {
    const first = apply(undefined, { data: { a: "1", b: "1" } });
    const v2: FieldManagement = { ...management, apiVersion: "v2" };
    const object = applyPatch(v2, {
      live: management.convert(first, "v2") as KubeObject,
      patch: { apiVersion: "v2", kind: "Kind", metadata: { name: "a" }, entries: { b: "1" } },
      manager: "m",
      force: false,
      time,
    });
    assert.deepEqual((object as Things).entries, { b: "1" });
    assert.deepEqual(print(object.metadata?.managedFields), ['m/Apply: {"f:entries":{"f:b":{}}}']);
  });

  it("keeps the live object and its times when nothing changes", () => {
    const first = apply(undefined, { data: { a: "1" } });
    const again = apply(first, { data: { a: "1" } }, { time: later });
    assert.deepEqual(again, first);
    const other = apply(first, { data: { a: "1" } }, { manager: "n", time: later });
    assert.deepEqual(
      other.metadata?.managedFields?.map((entry) => [entry.manager, entry.time]),
      [
        ["n", undefined],
        ["m", time],
      ],
    );
  });

  it("refuses what is no configuration of the kind", () => {
    assert.deepEqual(
      [
        refusal(() => apply(undefined, { kind: "Other" })),
        refusal(() => apply(undefined, { apiVersion: "apps/v1" })),
        refusal(() => apply(undefined, { metadata: { managedFields: [] } })),
        refusal(() => apply(undefined, { metadata: { name: "b", namespace: "n" }, foo: 1 })),
        refusal(() => apply(stored({}, [{ manager: "x" }]), {})),
      ],
      [
        "400 invalid object type: /v1, Kind=Other",
        "400 invalid object type: apps/v1, Kind=Kind",
        "400 metadata.managedFields must be nil",
        "500 failed to create typed patch object (n/b; /v1, Kind=Kind): " +
          ".foo: field not declared in schema",
        "500 failed to decode managed fields: operation must be `Apply` or `Update`",
      ],
    );
  });

  it("lets kubectl take over what client-side apply says it applied", () => {
    const annotation = "kubectl.kubernetes.io/last-applied-configuration";
    const last = { apiVersion: "v1", kind: "Kind", data: { a: "1" } };
    const updated = stored({
      metadata: { annotations: { [annotation]: JSON.stringify(last) } },
      data: { a: "1", b: "1" },
    });
    const live = withManagedFields(
      updated,
      update({ updated, manager: "kubectl-client-side-apply" }),
    );
    const object = apply(live, { data: { a: "2" } }, { manager: "kubectl" });
    assert.equal((object as Things).data?.["a"], "2");
    assert.equal(
      object.metadata?.annotations?.[annotation],
      '{"apiVersion":"v1","data":{"a":"2"},"kind":"Kind","metadata":{"name":"a"}}\n',
    );
    assert.match(
      refusal(() => apply(live, { data: { a: "2", b: "2" } }, { manager: "kubectl" })),
      /^409 Apply failed with 1 conflict: .*"kubectl-client-side-apply" using v1: .data.b$/,
    );
  });

  // Never an empty map: Go drops it, so that its own applier would add it each time.
  const config = fc.record(
    {
      data: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"), {
        noNullPrototype: true,
        minKeys: 1,
      }),
      tags: fc.uniqueArray(fc.constantFrom("x", "y", "z"), { minLength: 1 }),
      items: fc.uniqueArray(
        fc.record({ name: fc.constantFrom("i", "j", "k"), value: fc.constantFrom("1", "2") }),
        { selector: ({ name }) => name, minLength: 1 },
      ),
      replicas: fc.integer({ min: 0, max: 2 }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );

  it("is idempotent", () => {
    fc.assert(
      fc.property(config, config, config, (a, b, c) => {
        const object = apply(apply(apply(undefined, a), b, { manager: "n", force: true }), c, {
          force: true,
        });
        const again = apply(object, c, { force: true });
        assert.deepEqual(
          print(again.metadata?.managedFields),
          print(object.metadata?.managedFields),
        );
        assert.ok(deepEqual(withoutNulls(again), withoutNulls(object)));
      }),
    );
  });

  it("leaves exactly what its last configuration says when alone", () => {
    fc.assert(
      fc.property(config, config, (a, b) => {
        const object = apply(apply(undefined, a), b);
        const alone = apply(undefined, b);
        assert.ok(deepEqual(withoutNulls(object), withoutNulls(alone)));
      }),
    );
  });

  it("commutes for appliers of different fields", () => {
    const prefixed = (prefix: string) =>
      fc.dictionary(fc.constantFrom(`${prefix}a`, `${prefix}b`), fc.string(), {
        noNullPrototype: true,
        minKeys: 1,
      });
    fc.assert(
      fc.property(prefixed("m"), prefixed("n"), (mine, theirs) => {
        const one = apply(apply(undefined, { data: mine }), { data: theirs }, { manager: "n" });
        const two = apply(apply(undefined, { data: theirs }, { manager: "n" }), { data: mine });
        assert.ok(deepEqual((one as Things).data ?? {}, (two as Things).data ?? {}));
        const fields = (object: KubeObject) =>
          print(object.metadata?.managedFields).filter((text) => text.includes("f:"));
        assert.deepEqual(fields(one), fields(two));
      }),
    );
  });
});

/** As the codec leaves it: no nulls, no empty lists and maps. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value)
    .filter(([key]) => key !== "managedFields")
    .map(([key, member]) => [key, withoutNulls(member)] as const)
    .filter(([, member]) => member !== null && !deepEqual(member, {}) && !deepEqual(member, []));
  return Object.fromEntries(members);
}

describe("managed fields of a scale", () => {
  const entry = (
    manager: string,
    operation: string,
    names: string[],
    extra = {},
  ): ManagedFieldsEntry => ({
    manager,
    operation,
    apiVersion: "apps/v1",
    fieldsType: "FieldsV1",
    fieldsV1: JSON.parse(
      JSON.stringify(
        encodeManagers(
          new Map([
            [
              "",
              {
                name: "",
                operation: "Update",
                apiVersion: "v1",
                subresource: "",
                time: undefined,
                fields: fieldSetOfNames(names),
              },
            ],
          ]),
        )?.[0]?.fieldsV1,
      ),
    ) as Record<string, unknown>,
    ...extra,
  });
  const mapping = {
    apiVersion: "apps/v1",
    replicasPath: (version: string) => (version === "apps/v1" ? "spec.replicas" : undefined),
  };
  const parent = [
    entry("m", "Apply", ["spec.replicas", "spec.paused"], { time }),
    entry("n", "Apply", ["spec.paused"], { time }),
    entry("o", "Update", ["spec.replicas"], { apiVersion: "apps/v0", time }),
  ];

  it("are those of who owns the replicas", () => {
    assert.deepEqual(scaleManagedFields(parent, mapping), [
      entry("m", "Apply", ["spec.replicas"], { apiVersion: "autoscaling/v1", time }),
    ]);
  });

  it("give the replicas of the parent to whoever wrote the scale", () => {
    const scale = [
      entry("h", "Update", ["spec.replicas"], {
        apiVersion: "autoscaling/v1",
        subresource: "scale",
      }),
    ];
    assert.deepEqual(parentManagedFields(parent, scale, mapping), [
      entry("m", "Apply", ["spec.paused"], { time }),
      entry("n", "Apply", ["spec.paused"], { time }),
      entry("h", "Update", ["spec.replicas"], { subresource: "scale" }),
    ]);
    const kept = scaleManagedFields(parent, mapping);
    assert.deepEqual(parentManagedFields(parent, kept, mapping), parent.slice(0, 2));
  });
});
