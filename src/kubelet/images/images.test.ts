import assert from "node:assert/strict";
import { test } from "node:test";
import type { Secret } from "#api/core/v1/secret.ts";
import { credentialsFor } from "./docker-config.ts";
import { registryOf, withDefaultTag } from "./image-name.ts";

test("withDefaultTag adds latest, and refuses what is no reference", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const rows = [
    ["busybox", "busybox:latest"],
    ["busybox:1.36", "busybox:1.36"],
    ["registry.example:5000/a/b", "registry.example:5000/a/b:latest"],
    ["localhost/x", "localhost/x:latest"],
    [`a/b@${digest}`, `a/b@${digest}`],
    [`a/b:t@${digest}`, `a/b:t@${digest}`],
    ["[::1]:5000/a", "[::1]:5000/a:latest"],
    ["UPPER", undefined],
    ["a b", undefined],
    ["a:", undefined],
    ["a@sha256:short", undefined],
    ["", undefined],
  ] as const;
  for (const [image, expected] of rows) assert.equal(withDefaultTag(image), expected, image);
});

test("registryOf reads the host as docker does", () => {
  const rows = [
    ["busybox", "docker.io"],
    ["library/busybox", "docker.io"],
    ["registry.example/a", "registry.example"],
    ["host:5000/a", "host:5000"],
    ["localhost/a", "localhost"],
  ] as const;
  for (const [image, expected] of rows) assert.equal(registryOf(image), expected, image);
});

function secretOf(auths: object): Secret {
  const json = Buffer.from(JSON.stringify({ auths })).toString("base64");
  return {
    metadata: {},
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": json },
  };
}

test("credentialsFor takes what fits the image, the longest path first", () => {
  const entry = (username: string) => ({ username, password: "p" });
  const secrets = [
    secretOf({ "registry.example": entry("all"), "https://registry.example/team": entry("team") }),
    secretOf({ "*.example": entry("any"), "other.example": entry("other") }),
    secretOf({
      "https://index.docker.io/v1/": { auth: Buffer.from("hub:p:q").toString("base64") },
    }),
  ];
  const users = (image: string) => credentialsFor(image, secrets).map(({ username }) => username);
  assert.deepEqual(users("registry.example/team/app:1"), ["team", "all", "any"]);
  assert.deepEqual(users("registry.example/teams"), ["all", "any"]);
  assert.deepEqual(users("busybox"), ["hub"]);
  assert.equal(credentialsFor("busybox", secrets)[0]?.password, "p:q");
  assert.deepEqual(users("nowhere.test/x"), []);
});

test("credentialsFor ignores secrets that nobody can read", () => {
  const broken = {
    metadata: {},
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": "e30" },
  };
  const garbage = { ...broken, data: { ".dockerconfigjson": Buffer.from("{").toString("base64") } };
  assert.deepEqual(credentialsFor("busybox", [broken, garbage]), []);
});
