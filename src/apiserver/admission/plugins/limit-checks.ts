import { compareQuantities, quantityMilliValue, quantityNumber } from "#apimachinery/quantity.ts";

/** One rule of a LimitRange against what an object asks for. */
export interface Observed {
  readonly type: string;
  readonly name: string;
  readonly enforced: string;
  readonly request?: string;
  readonly limit?: string;
}

export function* minimumFault({
  type,
  name,
  enforced,
  request,
  limit,
}: Observed): Generator<string> {
  const rule = `minimum ${name} usage per ${type} is ${enforced}`;
  if (request === undefined) yield `${rule}.  No request is specified`;
  else if (compareQuantities(request, enforced) < 0) yield `${rule}, but request is ${request}`;
  else if (limit !== undefined && compareQuantities(limit, enforced) < 0)
    yield `${rule}, but limit is ${limit}`;
}

/** A container must have a limit for a maximum to mean anything; a claim has only its request. */
export function* maximumFault(
  observed: Observed & { readonly needs: "limit" | "request" },
): Generator<string> {
  const { type, name, enforced, request, limit, needs } = observed;
  const rule = `maximum ${name} usage per ${type} is ${enforced}`;
  if (observed[needs] === undefined) yield `${rule}.  No ${needs} is specified`;
  else if (limit !== undefined && compareQuantities(limit, enforced) > 0)
    yield `${rule}, but limit is ${limit}`;
  else if (request !== undefined && compareQuantities(request, enforced) > 0) {
    yield `${rule}, but request is ${request}`;
  }
}

export function* ratioFault({ type, name, enforced, request, limit }: Observed): Generator<string> {
  const rule = `${name} max limit to request ratio per ${type} is ${enforced}`;
  const asked = request === undefined ? 0 : quantityNumber(request);
  const allowed = limit === undefined ? 0 : quantityNumber(limit);
  if (asked === 0) yield `${rule}, but no request is specified or request is 0`;
  else if (allowed === 0) yield `${rule}, but no limit is specified or limit is 0`;
  else if ((allowed / asked) * 1000 > quantityMilliValue(enforced)) {
    yield `${rule}, but provided ratio is ${(allowed / asked).toFixed(6)}`;
  }
}
