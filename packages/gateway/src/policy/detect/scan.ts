import { alphabet, runStart } from './alphabet.ts'
import { findingMax, wordFindingMax, type Detector } from './detector.ts'
import { encodedRuns, type Decoded } from './encoded-run.ts'
import { layersOf, widen, type Layer } from './layer.ts'

/** Something that was found, from and up to which UTF-16 unit of the text. It never begins or ends inside of an escape. */
export interface Finding {
  readonly detector: Detector
  readonly start: number
  readonly end: number
}

export interface Scan {
  /** In the order of their beginnings, and of the detectors. Those of one detector do not overlap; those of different ones may. */
  readonly findings: readonly Finding[]
  /** What stands from here on cannot be judged before more of the text is known; its length when all is judged. No finding crosses it. */
  readonly undecidedFrom: number
}

/** The most that stays undecided, in UTF-16 units: a private key with each of its characters escaped. */
export const undecidedMax = findingMax * 8

/**
 * Finds in a text, as it stands, with its escapes undone, and in runs of base64 and hexadecimal in either. What stands before `from` is context.
 *
 * For a text that comes in pieces (`isWhole` false): scanned again from `undecidedFrom` on, with more behind it and at least `contextMax` units before it, the
 * same is found as in the text as a whole. Linear in the length of the text.
 */
export function scan(text: string, from: number, isWhole: boolean, detectors: readonly Detector[]): Scan {
  const layers = layersOf(text, from, isWhole)
  const coarsest = layers.at(-1) ?? layers[0]
  const found = new Map<Detector, { start: number; end: number }[]>()
  const add: OnFinding = (detector, start, end) => {
    const spans = found.get(detector)
    const span = layers.length === 1 ? { start, end } : widen(coarsest, start, end)
    if (spans) spans.push(span)
    else found.set(detector, [span])
  }
  let undecidedFrom = text.length
  for (const layer of layers) {
    const cutAt = scanLayer(layer, text.length, from, isWhole, detectors, add)
    if (!isWhole) undecidedFrom = Math.min(undecidedFrom, widen(coarsest, layer.placeOf(cutAt), text.length).start)
  }
  const findings = detectors
    .flatMap((detector) => union(found.get(detector) ?? []).map((span) => ({ detector, ...span })))
    .sort((one, other) => one.start - other.start)
  return isWhole ? { findings, undecidedFrom: text.length } : decide(findings, text, from, Math.max(from, undecidedFrom))
}

type OnFinding = (detector: Detector, start: number, end: number) => void

/** Gives where something begins that the end of the text may have cut. */
function scanLayer({ text, placeOf }: Layer, length: number, from: number, isWhole: boolean, detectors: readonly Detector[], add: OnFinding): number {
  // Where more may follow, a finding that ends the layer may go on, whatever escape the text breaks off in.
  const endOf = (unit: number): number => (!isWhole && unit === text.length ? length : placeOf(unit))
  for (const detector of detectors) detector.find(text, from, isWhole, (start, end) => add(detector, placeOf(start), endOf(end)))
  const limit = Math.max(from, text.length - wordFindingMax)
  let cutAt = cutWord(text, from, limit)
  for (const { start, end, readings } of encodedRuns(text, from)) {
    if (end === text.length) cutAt = Math.min(cutAt, Math.max(start, limit))
    for (const decoded of readings()) {
      for (const detector of detectors) {
        detector.find(decoded.text, 0, true, (start, end) => {
          if (!isPrintable(decoded, start, end)) return
          const place = decoded.placeOf(start, end)
          add(detector, placeOf(place.start), endOf(place.end))
        })
      }
    }
  }
  return cutAt
}

const printable = alphabet('\t\n\r -~')
/** Among random bytes something short is found by accident; a text goes on around it. */
const printableMin = 12

function isPrintable({ text }: Decoded, start: number, end: number): boolean {
  let length = end - start
  for (let at = start - 1; length < printableMin && printable[text.charCodeAt(at)] === 1; at -= 1) length += 1
  for (let at = end; length < printableMin && printable[text.charCodeAt(at)] === 1; at += 1) length += 1
  return length >= printableMin
}

/** Everything that a finding without white space, or an escape, is made of. */
const word = alphabet('0-9A-Za-z+/_=%.@~\\-')
/** The groups of card numbers, account numbers and telephone numbers, and the first line of a private key, with what stands between them. */
const group = alphabet('0-9A-Z+.-')
const between = alphabet(' ()')
const groupsMax = 64

/** Where the groups begin that the text ends with, or the word; the whole of its first word, since in another layer that may be several. */
function cutWord(text: string, from: number, limit: number): number {
  return runStart(text, groupsStart(text, Math.max(from, text.length - groupsMax)), word, limit)
}

/** Where the groups begin that the text ends with. */
function groupsStart(text: string, limit: number): number {
  let start = runStart(text, text.length, group, limit)
  for (;;) {
    const gap = runStart(text, start, between, Math.max(limit, start - 2))
    const next = runStart(text, gap, group, limit)
    if (gap === start || next === gap) return start
    start = next
  }
}

/** The spans in order, those that overlap as one. */
function union(spans: { start: number; end: number }[]): readonly { readonly start: number; readonly end: number }[] {
  const joined: { start: number; end: number }[] = []
  for (const span of spans.sort((one, other) => one.start - other.start)) {
    const last = joined.at(-1)
    if (last && span.start < last.end) last.end = Math.max(last.end, span.end)
    else joined.push({ ...span })
  }
  return joined
}

function decide(findings: readonly Finding[], text: string, begin: number, undecidedFrom: number): Scan {
  let from = wordAround(text, begin, undecidedFrom)
  // Backwards, so that moving the border before one finding meets those that it now crosses.
  for (const { start, end } of findings.toReversed()) if (start < from && (end > from || end === text.length)) from = wordAround(text, begin, start)
  if (text.length - from > undecidedMax) return { findings, undecidedFrom: text.length }
  return { findings: findings.filter(({ start }) => start < from), undecidedFrom: from }
}

/** Where the word begins that a border is in, unless it is endless: what stands before a finding must be read the same when the text is scanned again. */
function wordAround(text: string, begin: number, border: number): number {
  const start = runStart(text, border, word, begin)
  return text.length - start > 2 * wordFindingMax ? border : start
}
