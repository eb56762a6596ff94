import { fromBase64, hashBytes, parseDecimal, toBase64 } from './bytes.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Cosignature } from './cosignature.ts'
import type { LogCrypto } from './log-crypto.ts'
import { leafHash, verifyInclusion } from './merkle.ts'
import { openTrusted, type LogTrust } from './trust.ts'

/** That one entry stands at one index of a signed log: enough to show it to someone who has only the log's key. */
export interface LogProof {
  readonly index: number
  readonly hashes: readonly Uint8Array[]
  /** The signed checkpoint, as published. */
  readonly checkpoint: string
}

export type CheckedProof =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'proved'
      readonly index: number
      readonly checkpoint: Checkpoint
      readonly cosignatures: readonly Cosignature[]
    }

const header = 'c2sp.org/tlog-proof@v1'
/** Levels of a tree of at most 2^53 - 1 entries. */
const hashesMax = 53

/** @see https://c2sp.org/tlog-proof */
export function proofText({ index, hashes, checkpoint }: LogProof): string {
  return [header, `index ${index}`, ...hashes.map(toBase64), '', checkpoint].join('\n')
}

/** Reads a proof; an `extra` line is skipped, everything else must be exactly as the specification says. */
export function parseProof(text: string): LogProof | undefined {
  const split = text.indexOf('\n\n')
  if (split < 0) return undefined
  const [first, ...lines] = text.slice(0, split).split('\n')
  if (first !== header) return undefined
  if (lines[0]?.startsWith('extra ')) {
    if (!fromBase64(lines[0].slice('extra '.length))) return undefined
    lines.shift()
  }
  const [indexLine = '', ...hashLines] = lines
  const index = indexLine.startsWith('index ') ? parseDecimal(indexLine.slice('index '.length)) : undefined
  if (index === undefined || hashLines.length > hashesMax) return undefined
  const hashes: Uint8Array[] = []
  for (const line of hashLines) {
    const hash = fromBase64(line)
    if (hash?.length !== hashBytes) return undefined
    hashes.push(hash)
  }
  return { index, hashes, checkpoint: text.slice(split + 2) }
}

/** Checks by the proof alone that `entry` stands in the log of this key, or in one of a policy, whose quorum must have cosigned the proof's checkpoint. */
export function verifyProof(text: string, entry: Uint8Array, trust: LogTrust, crypto: LogCrypto): CheckedProof {
  const proof = parseProof(text)
  if (!proof) return { kind: 'refused', reason: 'it is not a log proof' }
  const opened = openTrusted(proof.checkpoint, trust, crypto)
  if (opened.kind === 'refused') return { kind: 'refused', reason: `the checkpoint cannot be trusted: ${opened.reason}` }
  const { checkpoint, cosignatures } = opened
  if (!verifyInclusion(crypto.sha256, leafHash(crypto.sha256, entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root)) {
    return { kind: 'refused', reason: `entry ${proof.index} of the log is not this entry` }
  }
  return { kind: 'proved', index: proof.index, checkpoint, cosignatures }
}
