import { PieceScanner, type Judged } from '../../policy/detect/piece-scanner.ts'
import type { Screening } from '../../policy/results.ts'
import { applyEdits, JsonPlaces, treatFindings } from '../../policy/redact/redact-text.ts'

/** What may pass of an answer that is looked through as it comes. */
export interface Screen {
  /** What may pass on, perhaps nothing yet; undefined when the answer is denied, and then nothing more is asked. */
  pass(piece: Uint8Array): Uint8Array | undefined
  /** What was held back at the end. */
  end(): Uint8Array | undefined
}

/** Replaces what is found in a text, however it is cut. Its character set must be one that ASCII is a part of. */
export class TextScreen implements Screen {
  readonly #screening: Screening
  readonly #scanner: PieceScanner
  readonly #json: JsonPlaces | undefined

  constructor(screening: Screening, form: 'json' | 'plain') {
    this.#screening = screening
    this.#scanner = new PieceScanner(screening.detectors)
    this.#json = form === 'json' ? new JsonPlaces() : undefined
  }

  pass(piece: Uint8Array): Uint8Array | undefined {
    return this.#treat(this.#scanner.read(byteText(piece)))
  }

  end(): Uint8Array | undefined {
    return this.#treat(this.#scanner.end())
  }

  #treat({ text, findings }: Judged): Uint8Array | undefined {
    const { isDenied, edits } = treatFindings(findings, this.#screening)
    if (isDenied) return undefined
    return Buffer.from(applyEdits(text, this.#json ? this.#json.fit(text, edits) : edits), 'latin1')
  }
}

/** One character a byte. */
export function byteText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
