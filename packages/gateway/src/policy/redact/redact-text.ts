import { alphabet, runEnd, runStart } from '../detect/alphabet.ts'
import type { Finding } from '../detect/scan.ts'
import { redactionOf, type Screening } from '../results.ts'

/** What is looked for, and what becomes of what is found. */
export type Redacting = Pick<Screening, 'detectors' | 'treat'>

/** A stretch of a text and what takes its place. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Counts what was found and says what becomes of the text: the stretches to replace, in order, or that it is denied. */
export function treatFindings(findings: readonly Finding[], screening: Redacting): { readonly isDenied: boolean; readonly edits: readonly Edit[] } {
  let isDenied = false
  const edits: Edit[] = []
  for (const { detector, start, end } of findings) {
    const treatment = screening.treat(detector)
    isDenied ||= treatment === 'deny'
    if (treatment === 'redact') edits.push({ start, end, text: redactionOf(detector) })
  }
  return { isDenied, edits: joinEdits(edits) }
}

/** The edits in order, those that overlap as one, which takes what the first of them writes. */
export function joinEdits(edits: readonly Edit[]): readonly Edit[] {
  const joined: Edit[] = []
  for (const edit of edits.toSorted((one, other) => one.start - other.start)) {
    const last = joined.at(-1)
    if (last && edit.start < last.end) joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, edit.end), text: last.text || edit.text }
    else joined.push(edit)
  }
  return joined
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let written = ''
  let at = 0
  for (const { start, end, text: replacement } of edits) {
    written += text.slice(at, start) + replacement
    at = end
  }
  return at === 0 ? text : written + text.slice(at)
}

const primitive = alphabet('0-9A-Za-z+.-')

/** Follows a JSON text, or lines of them, so that what takes the place of a number is a string. */
export class JsonPlaces {
  #isInString = false
  #isEscaped = false

  /** The same edits in terms of whole values of JSON, over a part of the text that cuts no number. */
  fit(text: string, edits: readonly Edit[]): readonly Edit[] {
    let at = 0
    const fitted = edits.map((edit) => {
      this.#follow(text, at, edit.start)
      at = edit.start
      if (this.#isInString) return edit
      const start = runStart(text, edit.start, primitive)
      const end = runEnd(text, edit.end, primitive)
      return /^[0-9eE+.-]+$/.test(text.slice(start, end)) ? { start, end, text: edit.text && `"${edit.text}"` } : edit
    })
    this.#follow(text, at, text.length)
    return joinEdits(fitted)
  }

  #follow(text: string, from: number, to: number): void {
    for (let at = from; at < to; at += 1) {
      const unit = text.charCodeAt(at)
      if (unit === lineFeed)
        this.#isInString = this.#isEscaped = false // never inside a string
      else if (this.#isEscaped) this.#isEscaped = false
      else if (unit === quote) this.#isInString = !this.#isInString
      else if (unit === backslash) this.#isEscaped = this.#isInString
    }
  }
}

const lineFeed = 0x0a
const quote = 0x22
const backslash = 0x5c
