import type { Library } from "../declaration.ts";
import { authorizerLibrary } from "./authorizer.ts";
import { cidrLibrary } from "./cidr.ts";
import { bindingsLibrary, twoVariableLibrary } from "./comprehensions.ts";
import { ipLibrary } from "./ip.ts";
import { kubernetesListsLibrary } from "./kubernetes-lists.ts";
import { listsLibrary } from "./lists.ts";
import { jsonPatchLibrary } from "./mutation.ts";
import { namedFormatLibrary } from "./named-format.ts";
import { optionalLibrary } from "./optionals.ts";
import { quantityLibrary } from "./quantity.ts";
import { regexLibrary } from "./regex.ts";
import { semverLibrary } from "./semver.ts";
import { setsLibrary } from "./sets.ts";
import { standardLibrary } from "./standard.ts";
import { stringsLibrary } from "./strings.ts";
import { urlLibrary } from "./url.ts";

/** What expressions in Kubernetes 1.36 can use. Source: pkg/cel/environment/base.go. */
export const kubernetesLibraries: readonly Library[] = [
  standardLibrary,
  urlLibrary,
  regexLibrary,
  kubernetesListsLibrary,
  authorizerLibrary,
  optionalLibrary,
  quantityLibrary,
  stringsLibrary,
  setsLibrary,
  ipLibrary,
  cidrLibrary,
  namedFormatLibrary,
  twoVariableLibrary,
  semverLibrary,
  listsLibrary,
];

/** Those and `jsonpatch.escapeKey`, for the mutations of MutatingAdmissionPolicy. */
export const mutationLibraries: readonly Library[] = [...kubernetesLibraries, jsonPatchLibrary];

/** Those and `cel.bind`, for the selectors of dynamic resource allocation. */
export const deviceSelectorLibraries: readonly Library[] = [
  ...kubernetesLibraries,
  bindingsLibrary,
];
