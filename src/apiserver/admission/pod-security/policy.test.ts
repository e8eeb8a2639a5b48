import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorText } from "#apimachinery/field-error.ts";
import { podSecurityConfiguration, podSecurityDefaults } from "./configuration.ts";
import { detailText, type Level, levelText, policyOf, violationsOf } from "./policy.ts";
import type { PodView } from "./pod-view.ts";

const openly = podSecurityDefaults.defaults;

const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
};

function pod(container: object, spec: object = {}): PodView {
  return {
    metadata: {},
    spec: { containers: [{ name: "c", image: "i", ...container }], ...spec },
  } as PodView;
}

/** Level and version, pod, what it violates. */
const rows: readonly (readonly [level: Level, version: string, pod: PodView, detail: string])[] = [
  ["privileged", "latest", pod({ securityContext: { privileged: true } }), ""],
  ["baseline", "latest", pod({}), ""],
  [
    "baseline",
    "latest",
    pod({}, { hostNetwork: true, hostIPC: true }),
    "host namespaces (hostNetwork=true, hostIPC=true)",
  ],
  [
    "baseline",
    "latest",
    pod({ ports: [{ hostPort: 80 }] }),
    'hostPort (container "c" uses hostPort 80)',
  ],
  [
    "baseline",
    "latest",
    pod({ securityContext: { privileged: true } }),
    'privileged (container "c" must not set securityContext.privileged=true)',
  ],
  [
    "baseline",
    "latest",
    pod({ livenessProbe: { httpGet: { host: "a" } } }),
    'probe or lifecycle host (container "c" uses probe or lifecycle host "a")',
  ],
  ["baseline", "v1.33", pod({ livenessProbe: { httpGet: { host: "a" } } }), ""],
  [
    "baseline",
    "v1.28",
    pod({}, { securityContext: { sysctls: [{ name: "net.ipv4.tcp_fin_timeout" }] } }),
    "forbidden sysctls (net.ipv4.tcp_fin_timeout)",
  ],
  [
    "baseline",
    "v1.29",
    pod({}, { securityContext: { sysctls: [{ name: "net.ipv4.tcp_fin_timeout" }] } }),
    "",
  ],
  [
    "baseline",
    "latest",
    pod({ securityContext: { procMount: "Unmasked" } }, { hostUsers: false }),
    "",
  ],
  ["restricted", "latest", pod({ securityContext: hardened }), ""],
  [
    "restricted",
    "latest",
    pod({
      securityContext: {
        ...hardened,
        capabilities: { drop: ["ALL"], add: ["CHOWN", "NET_BIND_SERVICE"] },
      },
    }),
    'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)',
  ],
  [
    "restricted",
    "latest",
    pod({ securityContext: { ...hardened, runAsUser: 0 } }),
    'runAsUser=0 (container "c" must not set runAsUser=0)',
  ],
  ["restricted", "v1.22", pod({ securityContext: { ...hardened, runAsUser: 0 } }), ""],
  [
    "restricted",
    "latest",
    pod(
      { securityContext: hardened },
      {
        volumes: [
          { name: "v", hostPath: {} },
          { name: "s", secret: {} },
        ],
      },
    ),
    'restricted volume types (volume "v" uses restricted volume type "hostPath")',
  ],
  [
    "restricted",
    "latest",
    pod({ securityContext: { ...hardened, seccompProfile: undefined } }),
    'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
];

for (const [level, version, view, detail] of rows) {
  test(`violationsOf ${level}:${version} says ${detail || "nothing"}`, () => {
    assert.equal(detailText(violationsOf({ level, version }, view)), detail);
  });
}

const prefix = "pod-security.kubernetes.io/";

test("policyOf warns at the enforced level unless told otherwise", () => {
  const { enforce, audit, warn } = policyOf({
    [`${prefix}enforce`]: "baseline",
    [`${prefix}enforce-version`]: "v1.30",
  }, openly);
  assert.deepEqual([enforce, audit, warn].map(levelText), [
    "baseline:v1.30",
    "privileged:latest",
    "baseline:v1.30",
  ]);
  const relaxed = policyOf({ [`${prefix}enforce`]: "baseline", [`${prefix}warn`]: "privileged" }, openly);
  assert.equal(levelText(relaxed.warn), "privileged:latest");
});

test("policyOf fills in the defaults of a configuration where labels say nothing", () => {
  const value = {
    apiVersion: "pod-security.admission.config.k8s.io/v1",
    kind: "PodSecurityConfiguration",
    defaults: { enforce: "baseline", "enforce-version": "v1.30", audit: "restricted" },
  };
  const { defaults } = podSecurityConfiguration({ value, duplicates: [] });
  const { enforce, audit, warn } = policyOf({ [`${prefix}audit`]: "privileged" }, defaults);
  assert.deepEqual([enforce, audit, warn].map(levelText), ["baseline:v1.30", "privileged:latest", "baseline:v1.30"]);
  const wrong = { ...value, defaults: { enforce: "x", "warn-version": "2" }, exemptions: { namespaces: ["a", "a", ""] } };
  assert.throws(() => podSecurityConfiguration({ value: wrong, duplicates: [] }), {
    message:
      '[defaults.enforce: Invalid value: "x": must be one of privileged, baseline, restricted, ' +
      'defaults.warn-version: Invalid value: "2": must be "latest" or "v1.x", ' +
      'exemptions.namespaces[1]: Duplicate value: "a", exemptions.namespaces[2]: Invalid value: "": must not be empty]',
  });
});

test("policyOf takes what is no level as the strictest and says so", () => {
  const { audit, errors } = policyOf({ [`${prefix}audit`]: "x", [`${prefix}warn-version`]: "v2" }, openly);
  assert.equal(levelText(audit), "restricted:latest");
  assert.deepEqual(errors.map(fieldErrorText), [
    `metadata.labels[${prefix}audit]: Invalid value: "x": must be one of privileged, baseline, restricted`,
    `metadata.labels[${prefix}warn-version]: Invalid value: "v2": must be "latest" or "v1.x"`,
  ]);
});
