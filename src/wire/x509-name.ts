import {
  derChildren,
  DerError,
  derOid,
  derSequence,
  derSet,
  derText,
  readOid,
  readText,
  tags,
  type DerNode,
} from "./der.ts";

/** A distinguished name, as far as Kubernetes looks at it: user name and groups. */
export interface DistinguishedName {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Every attribute in its order, for comparison and for rarer types. */
  readonly attributes: readonly NameAttribute[];
}

export interface NameAttribute {
  readonly oid: string;
  readonly value: string;
}

export interface NameOptions {
  readonly commonName: string;
  readonly organizations?: readonly string[];
}

export const nameOids = { commonName: "2.5.4.3", organization: "2.5.4.10" } as const;

/** Organizations in one multi-valued RDN, then the common name, as Go's `pkix.Name`. */
export function derName(name: NameOptions): Uint8Array {
  const organizations = name.organizations ?? [];
  const attribute = (oid: string, value: string): Uint8Array =>
    derSequence(derOid(oid), derText(value));
  const rdns: Uint8Array[] = [];
  if (organizations.length > 0) {
    rdns.push(derSet(...organizations.map((value) => attribute(nameOids.organization, value))));
  }
  if (name.commonName !== "") rdns.push(derSet(attribute(nameOids.commonName, name.commonName)));
  return derSequence(...rdns);
}

export function readName(node: DerNode): DistinguishedName {
  const attributes: NameAttribute[] = [];
  for (const rdn of derChildren(node, tags.sequence)) {
    for (const pair of derChildren(rdn, tags.set)) {
      const [type, value] = derChildren(pair, tags.sequence);
      if (type === undefined || value === undefined) throw new DerError("bad name attribute");
      attributes.push({ oid: readOid(type), value: readText(value) });
    }
  }
  const values = (oid: string): string[] =>
    attributes.filter((attribute) => attribute.oid === oid).map(({ value }) => value);
  return {
    // The last one counts, as in Go.
    commonName: values(nameOids.commonName).at(-1) ?? "",
    organizations: values(nameOids.organization),
    attributes,
  };
}
