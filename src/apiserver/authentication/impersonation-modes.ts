import type { StatusError } from "#apimachinery/status.ts";
import { type Attributes, type Authorizer, forbiddenBy } from "../authorization/authorizer.ts";
import type { User } from "../call.ts";
import { anonymousUser, authenticatedGroup } from "./authenticator.ts";
import { nodeOfUser, serviceAccountOfUser } from "./user-names.ts";

/** What a request asks to act as; fields that it leaves out are empty. */
export interface WantedUser {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export interface ModeRequest {
  readonly wanted: WantedUser;
  readonly attributes: Attributes;
  readonly authorizer: Authorizer;
}

/** One way in which impersonation can be allowed. */
export interface ImpersonationMode {
  /** The verb that names it; "" for the old one. */
  readonly constraint: string;
  fits(wanted: WantedUser, requestor: User): boolean;
  /** The user to act as, or why not. */
  check(request: ModeRequest): Promise<User | StatusError>;
}

const nodeNameKey = "authentication.kubernetes.io/node-name";
/** So many values at once are asked for with one wildcard first. */
const checksInLoopMax = 4;

/** The old verb alone, or after the narrow modes. Source: mode.go allImpersonationModes. */
export function impersonationModes(constrained: boolean): readonly ImpersonationMode[] {
  return constrained ? [...constrainedModes, legacyMode] : [legacyMode];
}

const legacyMode: ImpersonationMode = {
  constraint: "",
  fits: () => true,
  check: (request) => checkFields(request, { verb: "impersonate", constrained: false }),
};

function constrainedMode(mode: string, fits: ImpersonationMode["fits"]): ImpersonationMode {
  const constraint = `impersonate:${mode}`;
  return {
    constraint,
    fits,
    async check(request) {
      const { attributes, authorizer } = request;
      const verb = `impersonate-on:${mode}:${attributes.verb}`;
      const refused = await refusal(authorizer, { ...attributes, verb });
      if (refused !== undefined) return refused;
      return checkFields(request, { verb: constraint, constrained: true });
    },
  };
}

function onlyName({ uid, groups, extra }: WantedUser): boolean {
  return uid === "" && groups.length === 0 && Object.keys(extra).length === 0;
}

const associatedNode = constrainedMode("associated-node", (wanted, requestor) => {
  const values = requestor.extra[nodeNameKey] ?? [];
  return (
    onlyName(wanted) &&
    serviceAccountOfUser(requestor.name) !== undefined &&
    values.length === 1 &&
    nodeOfUser(wanted.name) === values[0]
  );
});

const constrainedModes: readonly ImpersonationMode[] = [
  {
    constraint: associatedNode.constraint,
    fits: (wanted, requestor) => associatedNode.fits(wanted, requestor),
    // What is asked must hold for the account on any node: values of one node are left out.
    check: (request) =>
      associatedNode.check({
        ...request,
        attributes: { ...request.attributes, user: nodeless(request.attributes.user) },
      }),
  },
  constrainedMode("arbitrary-node", (wanted) => onlyName(wanted) && nodeOfUser(wanted.name) !== undefined),
  constrainedMode(
    "serviceaccount",
    (wanted) => onlyName(wanted) && serviceAccountOfUser(wanted.name) !== undefined,
  ),
  constrainedMode(
    "user-info",
    ({ name }) => nodeOfUser(name) === undefined && serviceAccountOfUser(name) === undefined,
  ),
];

function nodeless(user: User): User {
  const keys = Object.keys(user.extra).toSorted();
  return { ...user, extra: { "authentication.kubernetes.io/associated-node-keys": keys } };
}

interface FieldRules {
  readonly verb: string;
  readonly constrained: boolean;
}

interface Question {
  readonly group?: string;
  readonly resource: string;
  readonly name: string;
  readonly namespace?: string;
  readonly subresource?: string;
}

const authenticationGroup = "authentication.k8s.io";

/** Asks for each field of the wanted user by itself. */
async function checkFields(request: ModeRequest, rules: FieldRules): Promise<User | StatusError> {
  const { wanted, attributes, authorizer } = request;
  const account = serviceAccountOfUser(wanted.name);
  const ask = (question: Question): Promise<StatusError | undefined> =>
    refusal(authorizer, questionOf(attributes.user, rules.verb, question));
  const refused =
    (await ask(nameQuestion(request, rules))) ??
    (wanted.uid === ""
      ? undefined
      : await ask({ group: authenticationGroup, resource: "uids", name: wanted.uid })) ??
    (await checkGroups(request, rules, ask)) ??
    (await checkExtra(request, rules, ask));
  if (refused !== undefined) return refused;
  let { groups } = wanted;
  if (rules.constrained && nodeOfUser(wanted.name) !== undefined) groups = ["system:nodes"];
  if (account !== undefined && groups.length === 0) {
    groups = ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`];
  }
  return { ...wanted, groups: withStandardGroup(wanted.name, groups) };
}

function nameQuestion({ wanted }: ModeRequest, { verb, constrained }: FieldRules): Question {
  const group = constrained ? authenticationGroup : "";
  const account = serviceAccountOfUser(wanted.name);
  if (account !== undefined) return { group, resource: "serviceaccounts", ...account };
  const node = constrained ? nodeOfUser(wanted.name) : undefined;
  if (node === undefined) return { group, resource: "users", name: wanted.name };
  return { group, resource: "nodes", name: verb === "impersonate:associated-node" ? "*" : node };
}

type Ask = (question: Question) => Promise<StatusError | undefined>;

async function checkGroups(
  { wanted, attributes }: ModeRequest,
  { verb, constrained }: FieldRules,
  ask: Ask,
): Promise<StatusError | undefined> {
  const { groups } = wanted;
  const base = { group: constrained ? authenticationGroup : "", resource: "groups" };
  const deny = (name: string, why: string): StatusError =>
    forbiddenBy(questionOf(attributes.user, verb, { ...base, name }), why);
  if (constrained && groups.includes("")) {
    return deny("", "impersonating the empty string group is not allowed");
  }
  if (constrained && groups.includes("system:masters")) {
    return deny("system:masters", "impersonating the system:masters group is not allowed");
  }
  if (constrained && groups.length >= checksInLoopMax) {
    if ((await ask({ ...base, name: "*" })) === undefined) return undefined;
  }
  for (const name of groups) {
    const refused = await ask({ ...base, name });
    if (refused !== undefined) return refused;
  }
  return undefined;
}

async function checkExtra(
  { wanted, attributes }: ModeRequest,
  { verb, constrained }: FieldRules,
  ask: Ask,
): Promise<StatusError | undefined> {
  const entries = Object.entries(wanted.extra);
  const base = { group: authenticationGroup, resource: "userextras" };
  const problem = constrained ? extraProblem(entries) : undefined;
  if (problem !== undefined) {
    return forbiddenBy(questionOf(attributes.user, verb, { ...base, name: "" }), problem);
  }
  const values = entries.flatMap(([subresource, names]) => names.map((name) => ({ subresource, name })));
  if (constrained && Math.max(entries.length, values.length) >= checksInLoopMax) {
    if ((await ask({ ...base, subresource: "*", name: "*" })) === undefined) return undefined;
  }
  for (const value of values) {
    const refused = await ask({ ...base, ...value });
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function extraProblem(entries: readonly (readonly [string, readonly string[]])[]): string | undefined {
  for (const [key, values] of entries) {
    if (key === "") return "impersonating the empty string key in extra is not allowed";
    if (key !== key.toLowerCase()) {
      return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
    }
    if (values.length === 0) return "impersonating empty values in extra is not allowed";
    if (values.includes("")) return "impersonating the empty string value in extra is not allowed";
  }
  return undefined;
}

function questionOf(user: User, verb: string, question: Question): Attributes {
  return {
    user,
    verb,
    isResource: true,
    namespace: question.namespace ?? "",
    group: question.group ?? "",
    version: "v1",
    resource: question.resource,
    subresource: question.subresource ?? "",
    name: question.name,
    path: "",
  };
}

async function refusal(authorizer: Authorizer, attributes: Attributes): Promise<StatusError | undefined> {
  const { verdict, reason } = await authorizer.authorize(attributes);
  return verdict === "allow" ? undefined : forbiddenBy(attributes, reason);
}

function withStandardGroup(name: string, groups: readonly string[]): readonly string[] {
  const unauthenticated = "system:unauthenticated";
  if (name !== anonymousUser.name && groups.includes(unauthenticated)) return groups;
  const standard = name === anonymousUser.name ? unauthenticated : authenticatedGroup;
  return groups.includes(standard) ? groups : [...groups, standard];
}
