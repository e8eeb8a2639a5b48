import { APIGroup, APIGroupList, APIResourceList, APIVersions } from "../meta/discovery.ts";
import { VersionInfo } from "../meta/version.ts";
import {
  groupTag,
  groupTitle,
  type GroupVersion,
  groupVersionPath,
  groupVersionTag,
  groupVersionTitle,
} from "./names.ts";
import type { Operation, Path } from "./operations.ts";
import { pathParameter } from "./parameters.ts";

const discoveryTypes = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
];
const resourceListTypes = [...discoveryTypes, "application/cbor"];

function get(path: string, spec: Omit<Operation, "method" | "parameters">): Path {
  return { path, operations: [{ method: "get", parameters: [], ...spec }] };
}

/** The path that lists the resources of a group version. */
export function resourceListPath(groupVersion: GroupVersion): Path {
  return get(`/${groupVersionPath(groupVersion)}/`, {
    operationId: `get${groupVersionTitle(groupVersion)}APIResources`,
    description: "get available resources",
    tag: groupVersionTag(groupVersion),
    responses: [{ code: 200, schema: APIResourceList.name }],
    consumes: resourceListTypes,
    produces: resourceListTypes,
  });
}

/** The path that lists the versions of a named group. */
export function groupPath(group: string): Path {
  return get(`/apis/${group}/`, {
    operationId: `get${groupTitle(group)}APIGroup`,
    description: "get information of a group",
    tag: groupTag(group),
    responses: [{ code: 200, schema: APIGroup.name }],
    consumes: discoveryTypes,
    produces: discoveryTypes,
  });
}

/** Paths that belong to no group, by the name of their v3 document. */
export const fixedPaths: ReadonlyMap<string, readonly Path[]> = new Map<string, readonly Path[]>([
  [
    "api",
    [
      get("/api/", {
        operationId: "getCoreAPIVersions",
        description: "get available API versions",
        tag: "core",
        responses: [{ code: 200, schema: APIVersions.name }],
        consumes: discoveryTypes,
        produces: discoveryTypes,
      }),
    ],
  ],
  [
    "apis",
    [
      get("/apis/", {
        operationId: "getAPIVersions",
        description: "get available API versions",
        tag: "apis",
        responses: [{ code: 200, schema: APIGroupList.name }],
        consumes: discoveryTypes,
        produces: discoveryTypes,
      }),
    ],
  ],
  [
    "version",
    [
      get("/version/", {
        operationId: "getCodeVersion",
        description: "get the version of this server",
        tag: "version",
        responses: [{ code: 200, schema: VersionInfo.name }],
        consumes: ["application/json"],
        produces: ["application/json"],
      }),
    ],
  ],
  [
    ".well-known/openid-configuration",
    [
      get("/.well-known/openid-configuration/", {
        operationId: "getServiceAccountIssuerOpenIDConfiguration",
        description: "get the OpenID configuration of the service account issuer",
        tag: "WellKnown",
        responses: [{ code: 200, schema: "text" }],
        produces: ["application/json"],
      }),
    ],
  ],
  [
    "openid/v1/jwks",
    [
      get("/openid/v1/jwks/", {
        operationId: "getServiceAccountIssuerOpenIDKeyset",
        description: "get the public keys that service account tokens are verified with",
        tag: "openid",
        responses: [{ code: 200, schema: "text" }],
        produces: ["application/jwk-set+json"],
      }),
    ],
  ],
  [
    "logs",
    [
      get("/logs/", { operationId: "logFileListHandler", tag: "logs", responses: [] }),
      {
        path: "/logs/{logpath}",
        operations: [
          {
            method: "get",
            operationId: "logFileHandler",
            tag: "logs",
            parameters: [pathParameter("logpath", "path to the log")],
            responses: [],
          },
        ],
      },
    ],
  ],
]);

/** Schemas that these paths answer with. */
export const fixedSchemas = [APIVersions, APIGroup, APIGroupList, APIResourceList, VersionInfo];
