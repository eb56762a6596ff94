import { Fault } from '@sallyport/contract'
import {
  hashReader,
  openTrusted,
  parseVerifierKey,
  proofText,
  proveInclusion,
  readTileFile,
  tilePath,
  tileWidth,
  verifyLog,
  verifyProof,
  type LogFault,
  type LogTrust,
  type VerifiedLog,
  type VerifyOptions,
} from '@sallyport/contract/log'
import type { LogView } from './log-files.ts'
import { nodeLogCrypto } from './log-key.ts'
import { readBundle } from './reader.ts'

export type Proving = { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'proved'; readonly proof: string; readonly entry: Uint8Array }

/**
 * Makes a proof that an entry stands in the log, and checks it before giving it away: the tiles it is made of are not trusted. It carries the newest cosigned
 * checkpoint, or the newest signed one where that covers the entry and the cosigned one does not.
 *
 * Refused when no checkpoint that `trust` accepts covers the entry yet, or the files do not hash to what was signed.
 */
export async function prove(view: LogView, index: number, trust: LogTrust): Promise<Proving> {
  const chosen = await chooseCheckpoint(view, index, trust)
  if (chosen.kind === 'refused') return chosen
  const { size, text: checkpoint } = chosen
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
  const checked = verifyProof(proof, entry, trust, nodeLogCrypto)
  if (checked.kind === 'refused') return { kind: 'refused', reason: `the files do not hash to what was signed: ${checked.reason}; verify the log` }
  return { kind: 'proved', proof, entry }
}

type ChosenCheckpoint = { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'chosen'; readonly text: string; readonly size: number }

async function chooseCheckpoint(view: LogView, index: number, trust: LogTrust): Promise<ChosenCheckpoint> {
  let reason = 'the log has no checkpoint'
  for (const text of [await view.cosigned?.(), await view.checkpoint()]) {
    if (text === undefined) continue
    const opened = openTrusted(text, trust, nodeLogCrypto)
    if (opened.kind === 'refused') {
      reason = `the checkpoint cannot be trusted: ${opened.reason}`
      continue
    }
    const { size } = opened.checkpoint
    if (Number.isSafeInteger(index) && index >= 0 && index < size) return { kind: 'chosen', text, size }
    reason = `entry ${index} is not covered by the newest checkpoint, which covers ${size} entries`
  }
  return { kind: 'refused', reason }
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
