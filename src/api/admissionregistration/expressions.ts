import {
  createEnvironment,
  type Environment,
  type Program,
} from "#apimachinery/cel/environment.ts";
import { lazyObjectType } from "#apimachinery/cel/lazy-object.ts";
import { authorizerType, resourceCheckType } from "#apimachinery/cel/library/authorizer.ts";
import { mutationLibraries } from "#apimachinery/cel/library/kubernetes.ts";
import { resolveMutationType } from "#apimachinery/cel/library/mutation.ts";
import {
  boolType,
  type CelType,
  dynType,
  formatType,
  intType,
  listType,
  mapType,
  objectType,
  sameType,
  stringType,
  timestampType,
} from "#apimachinery/cel/types.ts";
import { invalid } from "#apimachinery/field-error.ts";
import type { Findings } from "#apimachinery/validation/checks.ts";

function struct(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return objectType(name, {
    field: (field) => (Object.hasOwn(fields, field) ? fields[field] : undefined),
  });
}

const groupVersion = { group: stringType, version: stringType };
const kindType = struct("kubernetes.GroupVersionKind", { ...groupVersion, kind: stringType });
const resourceType = struct("kubernetes.GroupVersionResource", {
  ...groupVersion,
  resource: stringType,
});
const userInfoType = struct("kubernetes.UserInfo", {
  username: stringType,
  uid: stringType,
  groups: listType(stringType),
  extra: mapType(stringType, listType(stringType)),
});

const requestType = struct("kubernetes.AdmissionRequest", {
  kind: kindType,
  resource: resourceType,
  subResource: stringType,
  requestKind: kindType,
  requestResource: resourceType,
  requestSubResource: stringType,
  name: stringType,
  namespace: stringType,
  operation: stringType,
  userInfo: userInfoType,
  dryRun: boolType,
  options: dynType,
});

const conditionType = struct("kubernetes.NamespaceCondition", {
  status: stringType,
  type: stringType,
  lastTransitionTime: timestampType,
  message: stringType,
  reason: stringType,
});

const namespaceMetadataType = struct("kubernetes.NamespaceMetadata", {
  name: stringType,
  generateName: stringType,
  namespace: stringType,
  labels: mapType(stringType, stringType),
  annotations: mapType(stringType, stringType),
  UID: stringType,
  creationTimestamp: timestampType,
  deletionGracePeriodSeconds: intType,
  deletionTimestamp: timestampType,
  generation: intType,
  resourceVersion: stringType,
  finalizers: listType(stringType),
});

const namespaceType = struct("kubernetes.Namespace", {
  metadata: namespaceMetadataType,
  spec: struct("kubernetes.NamespaceSpec", { finalizers: listType(stringType) }),
  status: struct("kubernetes.NamespaceStatus", {
    conditions: listType(conditionType),
    phase: stringType,
  }),
});

export interface AdmissionVariables {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
  /** Whether expressions may construct `Object{}` and `JSONPatch{}`. @default false */
  readonly mutation?: boolean;
  /** Type of `variables`; absent where there are none. */
  readonly variables?: CelType;
  /** Types of `object` and `oldObject`, for type checking. @default dyn */
  readonly object?: Readonly<Record<string, CelType>>;
  /** @default dyn */
  readonly params?: CelType;
}

/** What expressions of admission are compiled in. Source: admission/plugin/cel/compile.go. */
export function admissionEnvironment(options: AdmissionVariables): Environment {
  return createEnvironment({
    variables: {
      object: dynType,
      oldObject: dynType,
      request: requestType,
      namespaceObject: namespaceType,
      ...options.object,
      ...(options.hasParams && { params: options.params ?? dynType }),
      ...(options.hasAuthorizer && {
        authorizer: authorizerType,
        "authorizer.requestResource": resourceCheckType,
      }),
      ...(options.variables && { variables: options.variables }),
    },
    ...(options.mutation === true && {
      libraries: mutationLibraries,
      typeResolver: resolveMutationType,
    }),
  });
}

/** An expression once compiled: a program, or why there is none. */
export interface Expression {
  readonly text: string;
  readonly program?: Program;
  readonly resultType?: CelType;
  /** `compilation failed: ...`. */
  readonly error?: string;
}

/** Compiles; an expression of another result type than `allowed` is an error too. */
export function compileExpression(
  environment: Environment,
  text: string,
  allowed: readonly CelType[] | "any",
): Expression {
  const compiled = environment.compile(text);
  if (!compiled.ok) return { text, error: `compilation failed: ${compiled.message}` };
  const { program, resultType } = compiled;
  if (allowed !== "any" && !allowed.some((type) => sameType(type, resultType))) {
    const names = allowed.map(formatType);
    const wanted = names.length === 1 ? (names[0] ?? "") : `one of [${names.join(" ")}]`;
    return { text, error: `must evaluate to ${wanted} but got ${formatType(resultType)}` };
  }
  return { text, program, resultType };
}

/** What is wrong with an expression, for validation. */
export function* validateExpression({ text, error }: Expression, path: string): Findings {
  if (error !== undefined) yield invalid(path, text, error);
}

export interface NamedExpression {
  readonly name: string;
  readonly expression: Expression;
}

/** The type of `variables`: those that did not compile are no fields. */
export function variablesType(variables: readonly NamedExpression[]): CelType {
  const fields = new Map<string, CelType>();
  for (const { name, expression } of variables) {
    if (expression.resultType !== undefined) fields.set(name, expression.resultType);
  }
  return lazyObjectType("kubernetes.variables", fields);
}

/** Compiles the variables of a policy; each may use those before it. */
export function compileVariables(
  variables: readonly { readonly name: string; readonly expression: string }[] | undefined,
  options: Omit<AdmissionVariables, "variables">,
): NamedExpression[] {
  const named: NamedExpression[] = [];
  for (const { name, expression } of variables ?? []) {
    const environment = admissionEnvironment({ ...options, variables: variablesType(named) });
    named.push({ name, expression: compileExpression(environment, expression, "any") });
  }
  return named;
}

const environments = {
  plain: admissionEnvironment({ hasParams: false, hasAuthorizer: true }),
  params: admissionEnvironment({ hasParams: true, hasAuthorizer: true }),
};

/** Compiles a match condition, which cannot use variables. */
export function compileMatchCondition(expression: string, hasParams: boolean): Expression {
  return compileExpression(hasParams ? environments.params : environments.plain, expression, [
    boolType,
  ]);
}
