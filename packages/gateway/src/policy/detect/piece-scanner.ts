import { alphabet, runEnd } from './alphabet.ts'
import { contextMax, type Detector } from './detector.ts'
import { scan, type Finding } from './scan.ts'

/** The next part of a text that comes in pieces, judged. */
export interface Judged {
  readonly text: string
  /** Places count from the beginning of `text`; none reaches beyond its end. */
  readonly findings: readonly Finding[]
}

/** Less than this is scanned again with each piece. */
const rescannedMax = 256
/** What a long key or encoded text goes on with. */
const goingOn = alphabet('0-9A-Za-z+/_=%.@~\\ \t\r\n-')

/**
 * Scans a text that comes in pieces: however it is cut, the same is found, and all of it is handed on in order.
 *
 * Holds back what could be the beginning of a finding: most often the last word, at most `undecidedMax` units. The work is linear in the text, however small its pieces.
 */
export class PieceScanner {
  readonly #detectors: readonly Detector[]
  #context = ''
  #held = ''
  /** How much of what is held was not there when it was scanned. */
  #unscanned = 0

  constructor(detectors: readonly Detector[]) {
    this.#detectors = detectors
  }

  read(piece: string): Judged {
    this.#held += piece
    this.#unscanned += piece.length
    const scanned = this.#held.length - this.#unscanned
    const canWait = scanned > rescannedMax && this.#unscanned < scanned / 4 && runEnd(piece, 0, goingOn) === piece.length
    return canWait ? nothing : this.#judge(false)
  }

  /** The rest. */
  end(): Judged {
    return this.#judge(true)
  }

  #judge(isWhole: boolean): Judged {
    const from = this.#context.length
    const text = this.#context + this.#held
    const { findings, undecidedFrom } = scan(text, from, isWhole, this.#detectors)
    this.#context = text.slice(Math.max(0, undecidedFrom - contextMax), undecidedFrom)
    this.#held = text.slice(undecidedFrom)
    this.#unscanned = 0
    return {
      text: text.slice(from, undecidedFrom),
      findings: findings.map((finding) => ({ ...finding, start: finding.start - from, end: finding.end - from })),
    }
  }
}

const nothing: Judged = { text: '', findings: [] }
