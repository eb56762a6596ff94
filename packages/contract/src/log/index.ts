export { equalBytes, fromBase64, hashBytes, parseDecimal, toBase64, toHex } from './bytes.ts'
export { checkpointBody, openCheckpoint, parseCheckpointBody, type Checkpoint, type OpenedCheckpoint } from './checkpoint.ts'
export {
  cosignature,
  cosignedMessage,
  cosignerKey,
  cosignerKeyText,
  openCosignatures,
  parseCosignerKey,
  type Cosignature,
  type CosignerKey,
} from './cosignature.ts'
export { readEntry, type ReadEntry } from './entry-check.ts'
export type { LogCrypto, Sha256 } from './log-crypto.ts'
export { emptyRoot, leafHash, nodeHash, proveConsistency, proveInclusion, verifyConsistency, verifyInclusion, type HashReader } from './merkle.ts'
export {
  isKeyName,
  noteText,
  openNote,
  parseNote,
  parseVerifierKey,
  signatureLine,
  verifierKey,
  verifierKeyText,
  type Note,
  type NoteSignature,
  type OpenedNote,
  type VerifierKey,
} from './note.ts'
export { isQuorum, parsePolicy, policyText, type LogPolicy, type ParsedPolicy } from './policy.ts'
export { parseProof, proofText, verifyProof, type CheckedProof, type LogProof } from './proof.ts'
export {
  bundlePath,
  bundleWidth,
  decodeBundle,
  encodeBundle,
  entryBytesMax,
  hashReader,
  isCovered,
  parseTilePath,
  tilePath,
  tileWidth,
  type TileAddress,
  type TileResource,
} from './tile.ts'
export { Tree, type Tile } from './tree.ts'
export { openSigned, openTrusted, type LogTrust, type TrustedCheckpoint } from './trust.ts'
export { readTileFile, verifyLog, type LogCheck, type LogFault, type LogReader, type PrunedPart, type VerifiedLog, type VerifyOptions } from './verify.ts'
