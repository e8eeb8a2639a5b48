/** Messages of the KMS v2 API. Source: k8s.io/kms/apis/v2/api.proto. */
import { bytes, type Decoded, mapOf, message, string } from "#wire/protobuf.ts";

const annotations = (number: number) => mapOf(number, bytes(2));

export const StatusRequest = message({});
export const StatusResponse = message({ version: string(1), healthz: string(2), keyId: string(3) });

export const EncryptRequest = message({ plaintext: bytes(1), uid: string(2) });
export const EncryptResponse = message({ ciphertext: bytes(1), keyId: string(2), annotations: annotations(3) });

export const DecryptRequest = message({ ciphertext: bytes(1), uid: string(2), keyId: string(3), annotations: annotations(4) });
export const DecryptResponse = message({ plaintext: bytes(1) });

export type StatusResponse = Decoded<typeof StatusResponse>;
export type EncryptResponse = Decoded<typeof EncryptResponse>;
export type DecryptRequest = Decoded<typeof DecryptRequest>;
