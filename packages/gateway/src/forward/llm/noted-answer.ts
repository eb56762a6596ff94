import { GatheredBytes, type Json } from '@sallyport/contract'
import { isList, memberOf } from '../../access/llm/json-members.ts'
import type { AnswerNotes } from './answer-notes.ts'
import { dataOf, EventSplitter } from '../event-splitter.ts'

/** Most of a whole answer, or of one event, that is kept to be read; what is larger passes all the same, and of its usage nothing is known. */
export const readBytesMax = 4_194_304

/** How an answer is read while it passes. */
export interface Reading {
  /** What may go on to the agent now. */
  pass(piece: Uint8Array): readonly Uint8Array[]
  /** What was held back. */
  rest(): Uint8Array | undefined
  /** Reads what can only be read at the end; nothing more is passed after it. */
  conclude(): void
}

/** An answer in one piece of JSON: passes at once, and a copy is read at the end. */
export class WholeReading implements Reading {
  readonly #notes: AnswerNotes
  readonly #kept = new GatheredBytes()
  #passedBytes = 0

  constructor(notes: AnswerNotes) {
    this.#notes = notes
  }

  pass(piece: Uint8Array): readonly Uint8Array[] {
    this.#passedBytes += piece.length
    if (this.#passedBytes <= readBytesMax) this.#kept.add(piece)
    else this.#kept.take()
    return [piece]
  }

  rest(): undefined {
    return undefined
  }

  conclude(): void {
    if (this.#passedBytes > readBytesMax) return this.#notes.fail()
    const answer = parse(Buffer.from(this.#kept.take()).toString('utf8'))
    if (answer === undefined) this.#notes.fail()
    else this.#notes.takeWhole(answer)
  }
}

/**
 * An answer in events. They pass as they come; only where the usage must be hidden does an event wait for its own end, which a client waits for anyway.
 */
export class EventReading implements Reading {
  readonly #notes: AnswerNotes
  readonly #hidesUsage: boolean
  readonly #splitter = new EventSplitter(readBytesMax)
  #isUnreadable = false

  constructor(notes: AnswerNotes, hidesUsage: boolean) {
    this.#notes = notes
    this.#hidesUsage = hidesUsage
  }

  pass(piece: Uint8Array): readonly Uint8Array[] {
    if (this.#isUnreadable) return [piece]
    const shown = this.#splitter.take(piece).filter((event) => !this.#take(event))
    if (this.#splitter.isOverfull) {
      this.#isUnreadable = true
      this.#notes.fail()
      shown.push(this.#splitter.rest())
    }
    return this.#hidesUsage ? shown : [piece]
  }

  rest(): Uint8Array | undefined {
    const held = this.#splitter.rest()
    return this.#hidesUsage && held.length > 0 ? held : undefined
  }

  conclude(): void {}

  /** True for the event that only the gateway asked for. */
  #take(event: Uint8Array): boolean {
    const data = dataOf(event)
    if (data === undefined) return false
    const value = parse(data)
    this.#notes.takeEvent(value, data)
    const choices = memberOf(value, 'choices')
    return isList(choices) && choices.length === 0 && memberOf(value, 'usage') !== undefined
  }
}

function parse(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** The answer's body as the agent gets it. */
export class NotedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #reading: Reading
  readonly #ready: Uint8Array[] = []
  #isDone = false

  constructor(source: AsyncIterable<Uint8Array>, reading: Reading) {
    this.#source = source[Symbol.asyncIterator]()
    this.#reading = reading
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const piece = this.#ready.shift()
      if (piece) return { done: false, value: piece }
      if (this.#isDone) return { done: true, value: undefined }
      const step = await this.#source.next()
      if (!step.done) {
        this.#ready.push(...this.#reading.pass(step.value))
        continue
      }
      this.#isDone = true
      const rest = this.#reading.rest()
      if (rest) this.#ready.push(rest)
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#isDone = true
    this.#ready.length = 0
    await this.#source.return?.()
    return { done: true, value: undefined }
  }
}
