/**
 * The protobuf codec: objects <-> messages <-> the envelope and frames that clients see. Its parts
 * have a file each; whoever needs the codec as a whole imports it from here.
 */
export { decodeProto } from "./proto-decode.ts";
export { encodeProto } from "./proto-encode.ts";
export {
  createFrameReader,
  frameProto,
  isProto,
  joinProtoList,
  type Unknown,
  unwrapUnknown,
  wrapUnknown,
} from "./proto-envelope.ts";
export { ProtoError } from "./proto-reader.ts";
