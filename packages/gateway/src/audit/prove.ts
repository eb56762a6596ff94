import { Fault } from '@sallyport/contract'
import {
  hashReader,
  openCheckpoint,
  parseVerifierKey,
  proofText,
  proveInclusion,
  readTileFile,
  tilePath,
  tileWidth,
  verifyLog,
  verifyProof,
  type LogFault,
  type VerifiedLog,
  type VerifierKey,
  type VerifyOptions,
} from '@sallyport/contract/log'
import type { LogView } from './log-files.ts'
import { nodeLogCrypto } from './log-key.ts'
import { readBundle } from './reader.ts'

export type Proving = { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'proved'; readonly proof: string; readonly entry: Uint8Array }

/**
 * Makes a proof that an entry stands in the log, against the newest checkpoint, and checks it before giving it away: the tiles it is made of are not trusted.
 *
 * Refused when the entry is not covered by a checkpoint yet, or the files do not hash to what was signed.
 */
export async function prove(view: LogView, index: number, key: VerifierKey): Promise<Proving> {
  const checkpoint = await view.checkpoint()
  const opened = checkpoint === undefined ? undefined : openCheckpoint(checkpoint, key, nodeLogCrypto)
  if (checkpoint === undefined || opened?.kind !== 'opened')
    return { kind: 'refused', reason: `the checkpoint cannot be trusted: ${opened?.kind === 'refused' ? opened.reason : 'there is none'}` }
  const { size } = opened.checkpoint
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size))
    return { kind: 'refused', reason: `entry ${index} is not covered by the newest checkpoint, which covers ${size} entries` }
  const bundle = Math.floor(index / tileWidth)
  const entry = (await readBundle(view, bundle, size))[index - bundle * tileWidth]
  if (!entry) return { kind: 'refused', reason: `entry ${index} is missing` }
  const read = hashReader(nodeLogCrypto.sha256, size, async (address) => {
    const tile = await readTileFile(view, (width) => tilePath({ ...address, width }), address.width)
    if (!tile) throw new Fault(`${tilePath(address)} is missing`, 'not-done')
    return tile
  })
  const hashes = await proveInclusion(nodeLogCrypto.sha256, read, index, size)
  const proof = proofText({ index, hashes, checkpoint })
  const checked = verifyProof(proof, entry, key, nodeLogCrypto)
  if (checked.kind === 'refused') return { kind: 'refused', reason: `the files do not hash to what was signed: ${checked.reason}; verify the log` }
  return { kind: 'proved', proof, entry }
}

/**
 * Verifies the published log in a folder with the key's text. Where a gateway writes meanwhile, verifies the state at the start.
 *
 * @throws Fault when the folder cannot be read.
 */
export async function verifyFolder(view: LogView, vkey: string, options: VerifyOptions = {}): Promise<VerifiedLog | LogFault> {
  const key = parseVerifierKey(vkey.trim(), nodeLogCrypto.sha256)
  if (!key) return { kind: 'fault', check: 'checkpoint-untrusted', text: 'the key is not an Ed25519 verifier key (name+id+key)' }
  return verifyLog(view, key, nodeLogCrypto, options)
}
