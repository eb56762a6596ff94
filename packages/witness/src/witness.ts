import { Fault } from '@sallyport/contract'
import {
  cosignature,
  cosignedMessage,
  emptyRoot,
  equalBytes,
  noteText,
  openCosignatures,
  openSigned,
  parseCheckpointBody,
  parseNote,
  signatureLine,
  verifyConsistency,
  type Checkpoint,
  type CosignerKey,
  type LogCrypto,
  type NoteSignature,
  type VerifierKey,
} from '@sallyport/contract/log'
import { parseRequest, type CheckpointRequest } from './parse-request.ts'
import type { WitnessStore } from './witness-store.ts'

/** As the specification names them, by their HTTP status. */
export type WitnessAnswer =
  | { readonly status: 400 | 403 | 404 | 422; readonly reason: string }
  | { readonly status: 409; readonly size: number }
  | { readonly status: 200; readonly lines: string }

export interface WitnessTerms {
  readonly key: CosignerKey
  readonly sign: (message: Uint8Array) => Uint8Array
  readonly logs: readonly VerifierKey[]
  readonly store: WitnessStore
  readonly crypto: LogCrypto
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The log signed two trees of one size: `submitted`, and the one that is remembered. Anyone can see it from the two; it may be submitted again and again. */
  readonly onFork: (origin: string, submitted: string) => void
}

interface Remembered extends Checkpoint {
  /** Seconds since 1970; 0 where nothing was cosigned. */
  readonly time: number
}

/**
 * Cosigns checkpoints of the logs it knows, each only if it continues the newest one that was cosigned of that log.
 *
 * Two checkpoints of one log are never judged at once, and what was cosigned is durable before anyone learns of it.
 *
 * @see https://c2sp.org/tlog-witness
 */
export class Witness {
  readonly #terms: WitnessTerms
  /** The end of the row of submissions of each log. */
  readonly #rows = new Map<string, Promise<unknown>>()

  constructor(terms: WitnessTerms) {
    this.#terms = terms
  }

  /** @throws Fault when the store failed: no cosignature was given away, and the next submission finds out what was kept */
  async add(body: Uint8Array): Promise<WitnessAnswer> {
    const request = parseRequest(body)
    if (!request) return { status: 400, reason: 'this is no submission of a checkpoint' }
    const { origin } = request.checkpoint
    const keys = this.#terms.logs.filter(({ name }) => name === origin)
    if (keys.length === 0) return { status: 404, reason: 'this witness does not know the log' }
    const signed = openSigned(request.text, { logs: keys.map((key) => ({ key })), witnesses: [], quorum: { kind: 'none' } }, this.#terms.crypto)
    if (signed.kind === 'refused') return { status: 403, reason: signed.reason }
    if (request.oldSize > request.checkpoint.size) return { status: 400, reason: 'the old size is larger than the size of the checkpoint' }
    return this.#inRow(origin, () => this.#judge(request, keys))
  }

  /** For monitors: the newest checkpoint that was cosigned, with that cosignature. @throws Fault */
  async newest(origin: string): Promise<string | undefined> {
    return this.#inRow(origin, () => this.#terms.store.read(origin))
  }

  async #judge(request: CheckpointRequest, keys: readonly VerifierKey[]): Promise<WitnessAnswer> {
    const { store, crypto, onFork } = this.#terms
    const { checkpoint, oldSize, proof } = request
    const last = this.#remembered(await store.read(checkpoint.origin), checkpoint.origin)
    if (oldSize !== last.size) return { status: 409, size: last.size }
    const empty = emptyRoot(crypto.sha256)
    if (checkpoint.size === 0 && !equalBytes(checkpoint.root, empty)) return { status: 422, reason: 'the root of an empty log is that of the empty tree' }
    if (oldSize === checkpoint.size && !equalBytes(checkpoint.root, last.root)) {
      onFork(checkpoint.origin, request.text)
      return { status: 422, reason: `a tree of ${oldSize} entries with another root is known` }
    }
    if (!verifyConsistency(crypto.sha256, oldSize, last.root, checkpoint.size, checkpoint.root, proof))
      return { status: 422, reason: `it is not proved that it continues the first ${oldSize} entries` }
    const line = this.#cosign(request.note.body, last.time)
    const own = request.note.signatures.filter(({ name, keyId }) => keys.some((key) => key.name === name && key.keyId === keyId))
    await store.keep(checkpoint.origin, noteText(request.note.body, [...own, line]))
    return { status: 200, lines: signatureLine(line) }
  }

  /** Never earlier than the last time: as of then, a smaller tree was the largest. */
  #cosign(body: string, lastTime: number): NoteSignature {
    const time = Math.max(Math.floor(this.#terms.now() / 1000), lastTime, 1)
    return cosignature(this.#terms.key, time, this.#terms.sign(cosignedMessage(body, time)))
  }

  /** What the store holds was cosigned by this key, or is damaged: then nothing is judged by it. */
  #remembered(text: string | undefined, origin: string): Remembered {
    const { crypto, key } = this.#terms
    if (text === undefined) return { origin, size: 0, root: emptyRoot(crypto.sha256), time: 0 }
    const note = parseNote(text)
    const checkpoint = note && parseCheckpointBody(note.body)
    const opened = note && openCosignatures(note, [key], crypto)
    const [own] = opened?.kind === 'opened' ? opened.cosignatures : []
    if (checkpoint?.origin === origin && own) return { ...checkpoint, time: own.time }
    throw new Fault(`what is remembered of ${origin} was not cosigned by ${key.name}: it is damaged, or of another key`, 'not-done')
  }

  #inRow<Result>(origin: string, work: () => Promise<Result>): Promise<Result> {
    const done = (this.#rows.get(origin) ?? Promise.resolve()).then(work, work)
    const settled = done.then(
      () => undefined,
      () => undefined,
    )
    this.#rows.set(origin, settled)
    void settled.then(() => this.#rows.get(origin) === settled && this.#rows.delete(origin))
    return done
  }
}
