import { Readable } from 'node:stream'
import { Fault, parseJson, parseProblemDocument, problemHeader, type Json, type ProblemDocument } from '@sallyport/contract'
import type { Clock } from './clock.ts'
import { mediaType, type HeaderPairs } from './header-pairs.ts'

/** The head of an answer, and its body as it arrives. The body must be read or destroyed. */
export interface LinkAnswer {
  readonly status: number
  readonly headers: HeaderPairs
  readonly body: Readable
}

const problemBytesMax = 65_536

/**
 * Tells a refusal of the gateway from any other answer, by the header that no upstream's answer has: a problem document alone may be an upstream's, in the very
 * words of the gateway. An answer that is marked and holds no problem document comes back whole.
 *
 * @throws Fault `unknown` when a problem document breaks off or is larger than 64 KiB.
 */
export async function separateProblem(
  answer: LinkAnswer,
): Promise<{ readonly kind: 'refused'; readonly problem: ProblemDocument } | { readonly kind: 'answer'; readonly answer: LinkAnswer }> {
  const isMarked = answer.headers.some(([name]) => name.toLowerCase() === problemHeader)
  if (!isMarked || mediaType(answer.headers) !== 'application/problem+json') return { kind: 'answer', answer }
  const bytes = await readBytes(answer, problemBytesMax)
  const parsed = parseJson(bytes)
  const problem = parsed.kind === 'parsed' ? parseProblemDocument(parsed.value) : undefined
  return problem ? { kind: 'refused', problem } : { kind: 'answer', answer: { ...answer, body: Readable.from([bytes]) } }
}

/**
 * A whole JSON body; undefined if it is not strict JSON.
 *
 * @throws Fault `unknown` when it breaks off or is longer than `bytesMax`.
 */
export async function readJson(answer: LinkAnswer, bytesMax: number): Promise<Json | undefined> {
  const parsed = parseJson(await readBytes(answer, bytesMax), { bytesMax, depthMax: 64 })
  return parsed.kind === 'parsed' ? parsed.value : undefined
}

/** @throws Fault `unknown` when the body breaks off or is longer than `bytesMax`. */
export async function readBytes({ body }: LinkAnswer, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  try {
    for await (const piece of body) {
      if (!(piece instanceof Uint8Array)) throw new TypeError('the body of an answer is bytes')
      length += piece.length
      if (length > bytesMax) break
      pieces.push(piece)
    }
  } catch (error) {
    throw new Fault('the answer of the gateway broke off', 'unknown', error)
  }
  if (length > bytesMax) throw new Fault(`the answer of the gateway is larger than ${bytesMax} bytes`, 'unknown')
  return Buffer.concat(pieces)
}

const discardBytesMax = 65_536
const discardMsMax = 1_000

/** Lets go of a body that nobody wants. A short one is read to its end, so that its connection can carry the next request; any other is cut. */
export function discard({ body }: LinkAnswer, clock: Pick<Clock, 'after'>): void {
  let length = 0
  const cancel = clock.after(discardMsMax, () => body.destroy())
  body.once('close', cancel)
  body.on('data', (piece: Uint8Array) => {
    length += piece.length
    if (length > discardBytesMax) body.destroy()
  })
  body.resume()
}
