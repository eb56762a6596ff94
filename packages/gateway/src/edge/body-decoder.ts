import type { BodyError } from './inbound.ts'

/** Cuts a body out of the bytes of a connection, however they were split. Nothing is copied. */
export interface BodyDecoder {
  /** From Content-Length. */
  readonly length: number | undefined
  readonly isComplete: boolean
  /** Set once the bytes cannot be a body; nothing more is decoded. */
  readonly flaw: BodyFlaw | undefined
  /** Appends what belongs to the body to `pieces`, from `offset` on, and returns where it stopped: at the end of the bytes, of the body, or at a flaw. */
  decode(bytes: Buffer, offset: number, pieces: Uint8Array[]): number
}

export interface BodyFlaw {
  readonly code: BodyError['code']
  readonly reason: string
}

/** A body of exactly `length` bytes. */
export class LengthDecoder implements BodyDecoder {
  readonly length: number
  readonly flaw = undefined
  #left: number

  constructor(length: number) {
    this.length = length
    this.#left = length
  }

  get isComplete(): boolean {
    return this.#left === 0
  }

  decode(bytes: Buffer, offset: number, pieces: Uint8Array[]): number {
    const end = Math.min(bytes.length, offset + this.#left)
    if (end > offset) pieces.push(bytes.subarray(offset, end))
    this.#left -= end - offset
    return end
  }
}
