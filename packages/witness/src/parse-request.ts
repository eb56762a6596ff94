import { fromBase64, hashBytes, parseCheckpointBody, parseDecimal, parseNote, type Checkpoint, type Note } from '@sallyport/contract/log'

export interface CheckpointRequest {
  readonly oldSize: number
  readonly proof: readonly Uint8Array[]
  readonly note: Note
  /** The same text as it was submitted. */
  readonly text: string
  readonly checkpoint: Checkpoint
}

/** More than any log needs. */
export const proofLinesMax = 63

/** Reads the body of `add-checkpoint`; undefined for anything that is not exactly one. @see https://c2sp.org/tlog-witness */
export function parseRequest(body: Uint8Array): CheckpointRequest | undefined {
  const whole = decodeUtf8(body)
  const split = whole?.indexOf('\n\n') ?? -1
  if (whole === undefined || split < 0) return undefined
  const [first = '', ...lines] = whole.slice(0, split).split('\n')
  const oldSize = first.startsWith('old ') ? parseDecimal(first.slice('old '.length)) : undefined
  const proof = lines.flatMap((line) => fromBase64(line) ?? [])
  const text = whole.slice(split + 2)
  const note = parseNote(text)
  const checkpoint = note && parseCheckpointBody(note.body)
  const isProof = proof.length === lines.length && lines.length <= proofLinesMax && proof.every(({ length }) => length === hashBytes)
  return oldSize !== undefined && isProof && checkpoint ? { oldSize, proof, note, text, checkpoint } : undefined
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
