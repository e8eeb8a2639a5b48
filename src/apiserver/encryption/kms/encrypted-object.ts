/**
 * What is stored of an object whose key a plugin keeps: the ciphertext, and the encrypted seed that its key is made
 * of. Source: apiserver/pkg/storage/value/encrypt/envelope/kmsv2/envelope.go, v2/api.proto.
 */
import { bytes, type Decoded, int32, mapOf, message, string } from "#wire/protobuf.ts";
import { aggregateText } from "../transformer.ts";

export const EncryptedObject = message({
  encryptedData: bytes(1),
  keyId: string(2),
  encryptedSeed: bytes(3),
  annotations: mapOf(4, bytes(2)),
  seedKind: int32(5),
});
export type EncryptedObject = Decoded<typeof EncryptedObject>;

/** The decrypted seed is the AES-GCM key itself. */
export const seedIsKey = 0;
/** Each object has a key of its own, derived from the seed. */
export const seedIsExpanded = 1;

const keyIdBytesMax = 1024;
const encryptedSeedBytesMax = 1024;
const annotationsBytesMax = 32 * 1024;

/** Throws when it is none that may be stored. */
export function checkEncryptedObject(object: EncryptedObject): void {
  const { seedKind, encryptedData, encryptedSeed, keyId, annotations } = object;
  if (seedKind !== seedIsKey && seedKind !== seedIsExpanded) throw new Error(`unknown encryptedDEKSourceType: ${seedKind}`);
  if (encryptedData.length === 0) throw new Error("encrypted data is empty");
  const seedProblem = sizeProblem("encrypted DEK source", encryptedSeed.length, encryptedSeedBytesMax);
  if (seedProblem !== undefined) throw new Error(`failed to validate encrypted DEK source: ${seedProblem}`);
  const keyProblem = keyIdProblem(keyId);
  if (keyProblem !== undefined) throw new Error(`failed to validate key id: ${keyProblem}`);
  const problems = annotationProblems(annotations);
  if (problems.length > 0) throw new Error(`failed to validate annotations: ${aggregateText(problems)}`);
}

export function keyIdProblem(keyId: string): string | undefined {
  return sizeProblem("keyID", Buffer.byteLength(keyId), keyIdBytesMax);
}

function sizeProblem(what: string, sizeBytes: number, bytesMax: number): string | undefined {
  if (sizeBytes === 0) return `${what} is empty`;
  if (sizeBytes > bytesMax) return `${what} is ${sizeBytes} bytes, which exceeds the max size of ${bytesMax}`;
  return undefined;
}

const label = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const qualifiedName = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})+\\.?$`);

function annotationProblems(annotations: EncryptedObject["annotations"]): string[] {
  const problems: string[] = [];
  let sizeBytes = 0;
  for (const [name, value] of annotations) {
    sizeBytes += Buffer.byteLength(name) + value.length;
    if (!qualifiedName.test(name)) {
      problems.push(`annotations: Invalid value: ${JSON.stringify(name)}: should be a domain with at least two segments separated by dots`);
    }
  }
  if (sizeBytes > annotationsBytesMax) {
    problems.push(`total size of annotations is ${sizeBytes}, which exceeds the max size of ${annotationsBytesMax}`);
  }
  return problems;
}

/** The same for objects that were encrypted with the same seed. */
export function seedIdentity({ seedKind, encryptedSeed, keyId, annotations }: EncryptedObject): string {
  const sorted = [...annotations].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = sorted.map(([name, value]) => [name, Buffer.from(value).toString("base64")]);
  return JSON.stringify([seedKind, Buffer.from(encryptedSeed).toString("base64"), keyId, parts]);
}
