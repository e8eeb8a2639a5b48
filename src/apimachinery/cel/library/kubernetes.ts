import type { Library } from "../declaration.ts";
import { twoVariableLibrary } from "./comprehensions.ts";
import { optionalLibrary } from "./optionals.ts";
import { standardLibrary } from "./standard.ts";

/** What expressions in Kubernetes 1.36 can use. Source: pkg/cel/environment/base.go. */
export const kubernetesLibraries: readonly Library[] = [
  standardLibrary,
  optionalLibrary,
  twoVariableLibrary,
];
