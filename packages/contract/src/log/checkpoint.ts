import { fromBase64, hashBytes, parseDecimal, toBase64 } from './bytes.ts'
import type { LogCrypto } from './log-crypto.ts'
import { openNote, type VerifierKey } from './note.ts'

/** What the log's key signs: this many entries hash to this root. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

export type OpenedCheckpoint = { readonly kind: 'refused'; readonly reason: string } | { readonly kind: 'opened'; readonly checkpoint: Checkpoint }

/** @see https://c2sp.org/tlog-checkpoint */
export function checkpointBody({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/** Reads the body of a checkpoint; extension lines are allowed and ignored, as the specification asks. */
export function parseCheckpointBody(body: string): Checkpoint | undefined {
  const [origin = '', sizeText = '', rootText = '', ...extensions] = body.split('\n')
  const size = parseDecimal(sizeText)
  const root = fromBase64(rootText)
  const isEnded = extensions.pop() === '' && extensions.every((line) => line !== '')
  if (origin === '' || size === undefined || root?.length !== hashBytes || !isEnded) return undefined
  return { origin, size, root }
}

/** Verifies a checkpoint's signature and that it speaks of the log that the key, or each of several, is named for. */
export function openCheckpoint(text: string, trusted: VerifierKey | readonly VerifierKey[], crypto: LogCrypto): OpenedCheckpoint {
  const note = openNote(text, trusted, crypto)
  if (note.kind === 'refused') return note
  const checkpoint = parseCheckpointBody(note.body)
  if (!checkpoint) return { kind: 'refused', reason: 'its text is not a checkpoint' }
  const other = ('publicKey' in trusted ? [trusted] : trusted).find(({ name }) => name !== checkpoint.origin)
  if (other) return { kind: 'refused', reason: `it belongs to the log ${checkpoint.origin}, not to ${other.name}` }
  return { kind: 'opened', checkpoint }
}
