export { equalBytes, hashBytes, toBase64 } from './bytes.ts'
export { checkpointBody, openCheckpoint, parseCheckpointBody, type Checkpoint, type OpenedCheckpoint } from './checkpoint.ts'
export { readEntry, type ReadEntry } from './entry-check.ts'
export type { LogCrypto, Sha256 } from './log-crypto.ts'
export { emptyRoot, leafHash, nodeHash, proveConsistency, proveInclusion, verifyConsistency, verifyInclusion, type HashReader } from './merkle.ts'
export {
  noteText,
  openNote,
  parseNote,
  parseVerifierKey,
  verifierKey,
  verifierKeyText,
  type Note,
  type NoteSignature,
  type OpenedNote,
  type VerifierKey,
} from './note.ts'
export { parseProof, proofText, verifyProof, type CheckedProof, type LogProof } from './proof.ts'
export { bundlePath, bundleWidth, decodeBundle, encodeBundle, entryBytesMax, hashReader, tilePath, tileWidth, type TileAddress } from './tile.ts'
export { Tree, type Tile } from './tree.ts'
export { readTileFile, verifyLog, type LogCheck, type LogFault, type LogReader, type VerifiedLog, type VerifyOptions } from './verify.ts'
