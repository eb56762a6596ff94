import { Fault } from '@sallyport/contract'
import {
  hashReader,
  noteText,
  openCheckpoint,
  openCosignatures,
  parseNote,
  proveConsistency,
  readTileFile,
  tilePath,
  type Checkpoint,
  type CosignerKey,
  type Note,
  type NoteSignature,
  type VerifierKey,
} from '@sallyport/contract/log'
import type { LogView } from './log-files.ts'
import { nodeLogCrypto } from './log-key.ts'
import type { WitnessPort, WitnessStanding, WitnessState } from './witness-port.ts'

export interface CosigningPorts {
  readonly view: LogView
  readonly key: VerifierKey
  readonly witnesses: readonly WitnessPort[]
  /** So many must cosign a checkpoint before it is kept. */
  readonly quorum: number
  /** Keeps the newest cosigned checkpoint, in place of the one before. @throws Fault */
  readonly keep: (note: string) => Promise<void>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A witness is in another state than before. */
  readonly onChange: (standing: WitnessStanding) => void
}

/** After a failure a witness is left alone for so long, and each time for twice as long. */
export const witnessPauseMs = { least: 1_000, most: 300_000 } as const
/** A checkpoint that stays the newest is cosigned anew, so that its cosignatures tell a recent time. */
export const recosignAfterMs = 600_000

interface Asked {
  readonly port: WitnessPort
  state: WitnessState
  size: number
  time: number | undefined
  problem: string | undefined
  failures: number
  notBefore: number
  /** What it cosigned last, and when we asked. */
  body: string
  askedAt: number
}

/** Gathers cosignatures over the newest checkpoint, one round at a time, beside the requests and never in their way. */
export class Cosigning {
  readonly #ports: CosigningPorts
  readonly #asked: readonly Asked[]
  #cosigned: { body: string; lines: Map<WitnessPort, NoteSignature> } = { body: '', lines: new Map() }
  #keeping: Promise<void> = Promise.resolve()
  #keptSize = 0
  /** Cosignatures in the checkpoint that was kept last, if it is the newest. */
  #keptLines = 0

  constructor(ports: CosigningPorts) {
    this.#ports = ports
    this.#asked = ports.witnesses.map((port) => ({
      port,
      state: 'unasked',
      size: 0,
      time: undefined,
      problem: undefined,
      failures: 0,
      notBefore: 0,
      body: '',
      askedAt: 0,
    }))
  }

  get standing(): readonly WitnessStanding[] {
    return this.#asked.map(standingOf)
  }

  /** Entries that the newest kept checkpoint covers. */
  get keptSize(): number {
    return this.#keptSize
  }

  /** Learns from the kept checkpoint what the witnesses know. @throws Fault */
  async resume(): Promise<void> {
    const text = (await this.#ports.view.cosigned?.()) ?? ''
    const note = parseNote(text)
    const opened = openCheckpoint(text, this.#ports.key, nodeLogCrypto)
    if (!note || opened.kind === 'refused') return
    this.#keptSize = opened.checkpoint.size
    for (const asked of this.#asked) {
      const cosigned = cosignatureOf(note, asked.port.key)
      if (cosigned) Object.assign(asked, { size: opened.checkpoint.size, time: cosigned.time })
    }
  }

  /** Shows the newest checkpoint to every witness that has not cosigned it and is not left alone just now. @throws Fault when the log cannot be read, or nothing kept */
  async round(): Promise<void> {
    const newest = await this.#readNewest()
    if (!newest) return
    const { note, text, checkpoint } = newest
    if (note.body !== this.#cosigned.body) {
      this.#cosigned = { body: note.body, lines: new Map() }
      this.#keptLines = 0
    }
    const due = this.#asked.filter((asked) => this.#isDue(asked, note.body))
    this.#keeping = Promise.resolve()
    if (this.#keptLines < this.#cosigned.lines.size) this.#keep(note, checkpoint.size) // the disk failed before
    await Promise.all(due.map((asked) => this.#ask(asked, note, text, checkpoint)))
    await this.#keeping
  }

  #isDue({ notBefore, state, body, askedAt }: Asked, newestBody: string): boolean {
    const now = this.#ports.now()
    return now >= notBefore && (state !== 'cosigns' || body !== newestBody || now - askedAt >= recosignAfterMs)
  }

  async #ask(asked: Asked, note: Note, text: string, checkpoint: Checkpoint): Promise<void> {
    asked.askedAt = this.#ports.now()
    try {
      // A second time where the first tells us what it knows.
      if (await this.#submit(asked, note, text, checkpoint)) await this.#submit(asked, note, text, checkpoint)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#fail(asked, 'fails', error.message)
    }
  }

  /** True when it is to be asked again, with the size that it knows. */
  async #submit(asked: Asked, note: Note, text: string, checkpoint: Checkpoint): Promise<boolean> {
    const { port } = asked
    const size = asked.size > checkpoint.size ? 0 : asked.size // it then says again what it knows
    const reply = await port.submit(size, await this.#prove(size, checkpoint.size), text)
    switch (reply.kind) {
      case 'cosigned':
        this.#take(asked, note, text, checkpoint, reply.lines)
        return false
      case 'knows': {
        const isNews = reply.size !== size
        asked.size = reply.size
        asked.time = undefined
        const newestSize = reply.size > checkpoint.size ? ((await this.#readNewest())?.checkpoint.size ?? 0) : checkpoint.size
        if (reply.size > newestSize)
          this.#fail(asked, 'conflict', `it has cosigned ${reply.size} entries of this log, which has ${newestSize}: the log was rolled back`)
        else if (!isNews) this.#fail(asked, 'refuses', `it says that it knows ${reply.size} entries, and refuses a checkpoint that goes on from there`)
        return isNews && reply.size <= checkpoint.size
      }
      case 'refused':
        if (reply.status === 422) this.#fail(asked, 'conflict', `the log does not continue the ${size} entries that it has cosigned: ${reply.reason}`)
        else this.#fail(asked, 'refuses', `it answers ${reply.status}: ${reply.reason}`)
        return false
    }
  }

  #take(asked: Asked, note: Note, text: string, checkpoint: Checkpoint, lines: string): void {
    const answered = parseNote(`${text}${lines}`)
    const cosigned = answered?.body === note.body ? cosignatureOf(answered, asked.port.key) : undefined // the lines may hold a blank one, and so another text
    if (!cosigned) return this.#fail(asked, 'refuses', 'it answers without a cosignature of its key that fits the checkpoint')
    Object.assign(asked, { size: checkpoint.size, time: cosigned.time, failures: 0, notBefore: 0, body: note.body })
    this.#enter(asked, 'cosigns', undefined)
    if (this.#cosigned.body !== note.body) return
    this.#cosigned.lines.set(asked.port, cosigned.line)
    this.#keep(note, checkpoint.size)
  }

  /** Where there are enough cosignatures: one after the other, each with all there are by then. A failure is that of the round, not of the witness. */
  #keep({ body, signatures }: Note, size: number): void {
    const keep = async (): Promise<void> => {
      const lines = [...this.#cosigned.lines.values()]
      if (lines.length < this.#ports.quorum) return
      await this.#ports.keep(noteText(body, [...signatures, ...lines]))
      this.#keptSize = size
      this.#keptLines = lines.length
    }
    this.#keeping = this.#keeping.then(keep, keep)
    this.#keeping.catch(() => undefined) // the round awaits it, but others before
  }

  async #prove(oldSize: number, size: number): Promise<Uint8Array[]> {
    const read = hashReader(nodeLogCrypto.sha256, size, async (address) => {
      const tile = await readTileFile(this.#ports.view, (width) => tilePath({ ...address, width }), address.width)
      if (!tile) throw new Fault(`${tilePath(address)} is missing: verify the log`, 'not-done')
      return tile
    })
    return proveConsistency(nodeLogCrypto.sha256, read, oldSize, size)
  }

  async #readNewest(): Promise<{ note: Note; text: string; checkpoint: Checkpoint } | undefined> {
    const text = await this.#ports.view.checkpoint()
    const note = text === undefined ? undefined : parseNote(text)
    if (text === undefined || !note) return undefined
    const opened = openCheckpoint(text, this.#ports.key, nodeLogCrypto)
    if (opened.kind === 'refused') throw new Fault(`the checkpoint of the log is not its own: ${opened.reason}`, 'not-done')
    return { note, text, checkpoint: opened.checkpoint }
  }

  #fail(asked: Asked, state: WitnessState, problem: string): void {
    asked.notBefore = this.#ports.now() + Math.min(witnessPauseMs.most, witnessPauseMs.least * 2 ** asked.failures)
    asked.failures += 1
    this.#enter(asked, state, problem)
  }

  #enter(asked: Asked, state: WitnessState, problem: string | undefined): void {
    const before = asked.state
    asked.state = state
    asked.problem = problem
    if (before !== state) this.#ports.onChange(standingOf(asked))
  }
}

function standingOf({ port, state, size, time, problem }: Asked): WitnessStanding {
  return {
    name: port.key.name,
    url: port.url,
    state,
    size,
    ...(time !== undefined && { time: new Date(time * 1000).toISOString() }),
    ...(problem !== undefined && { problem }),
  }
}

function cosignatureOf(note: Note, key: CosignerKey): { readonly time: number; readonly line: NoteSignature } | undefined {
  const opened = openCosignatures(note, [key], nodeLogCrypto)
  const [cosigned] = opened.kind === 'opened' ? opened.cosignatures : []
  const line = note.signatures.findLast(({ name, keyId }) => name === key.name && keyId === key.keyId)
  return cosigned && line && { time: cosigned.time, line }
}
