import { contextMax } from '../../policy/detect/detector.ts'
import { scan, type Finding } from '../../policy/detect/scan.ts'
import { redactionOf, type Screening } from '../../policy/results.ts'
import { EventSplitter } from '../event-splitter.ts'
import { deltaPieces, type DeltaPiece } from './delta-pieces.ts'
import { applyEdits, joinEdits, JsonPlaces, type Edit } from '../../policy/redact/redact-text.ts'
import { byteText, type Screen } from './text-screen.ts'

/** The largest event that is read as one; of a larger one each part is looked through by itself. */
const eventBytesMax = 1_048_576
/** The most that is held back while a finding may go on in the next event. */
const heldBytesMax = 524_288
const heldEventsMax = 1024
/** Less than this is looked through again with each event. */
const rescannedMax = 16_384
/** Texts in parts that are followed at once. */
const strandsMax = 64

interface HeldEvent {
  readonly text: string
  /** What was found in the event by itself, outside of its pieces. */
  readonly own: readonly Finding[]
  readonly pieces: readonly DeltaPiece[]
}

/** Something found, by the events and the stretches of them that it covers. */
interface Found {
  readonly finding: Finding
  readonly parts: readonly { readonly event: number; readonly start: number; readonly end: number }[]
}

/**
 * Replaces what is found in a stream of events: in each event, and in the texts that language models answer with, in parts, one part an event. Where such a part
 * ends in what could be the beginning of a finding, the event waits for the next one.
 */
export class EventScreen implements Screen {
  readonly #screening: Screening
  readonly #splitter = new EventSplitter(eventBytesMax)
  #held: HeldEvent[] = []
  #heldBytes = 0
  #unscannedBytes = 0
  /** By strand, the last that has passed. */
  readonly #contexts = new Map<string, string>()

  constructor(screening: Screening) {
    this.#screening = screening
  }

  pass(piece: Uint8Array): Uint8Array | undefined {
    for (const event of this.#splitter.take(piece)) this.#hold(byteText(event))
    if (this.#splitter.isOverfull) this.#hold(byteText(this.#splitter.rest()))
    const scannedBytes = this.#heldBytes - this.#unscannedBytes
    if (scannedBytes > rescannedMax && this.#unscannedBytes < scannedBytes / 4) return nothing
    return this.#release(this.#heldBytes > heldBytesMax || this.#held.length > heldEventsMax)
  }

  end(): Uint8Array | undefined {
    this.#hold(byteText(this.#splitter.rest()))
    return this.#release(true)
  }

  #hold(text: string): void {
    if (text === '') return
    const pieces = piecesOf(text)
    const { findings } = scan(text, 0, true, this.#screening.detectors)
    const own = findings.filter((finding) => !pieces.some(({ start, end }) => finding.start >= start && finding.end <= end))
    this.#held.push({ text, own, pieces })
    this.#heldBytes += text.length
    this.#unscannedBytes += text.length
  }

  #release(isWhole: boolean): Uint8Array | undefined {
    this.#unscannedBytes = 0
    if (this.#held.length === 0) return nothing
    const { found, undecided } = this.#find(isWhole)
    let released = undecided
    // Backwards: a finding that would be cut is held back as a whole, and with it what it touches.
    for (const { parts } of found.toSorted((one, other) => firstOf(other) - firstOf(one))) {
      const [first] = parts
      const last = parts.at(-1)
      if (first && last && first.event < released && last.event >= released) released = first.event
    }
    return this.#passOn(released, found)
  }

  /** What is found in all that is held, and the first event that must wait. */
  #find(isWhole: boolean): { readonly found: readonly Found[]; readonly undecided: number } {
    const found: Found[] = []
    let undecided = this.#held.length
    for (const { text, contextLength, places } of this.#strands()) {
      const { findings, undecidedFrom } = scan(text, contextLength, isWhole, this.#screening.detectors)
      undecided = Math.min(undecided, places.find(({ to }) => to > undecidedFrom)?.event ?? undecided)
      for (const finding of findings) found.push({ finding, parts: partsOf(finding, places) })
    }
    for (const [event, { own }] of this.#held.entries())
      for (const finding of own) found.push({ finding, parts: [{ event, start: finding.start, end: finding.end }] })
    return { found, undecided }
  }

  #strands(): Iterable<Strand> {
    const strands = new Map<string, Strand>()
    for (const [event, { text, pieces }] of this.#held.entries()) {
      for (const { strand: key, start, end } of pieces) {
        const context = this.#contexts.get(key) ?? ''
        const strand = strands.get(key) ?? { text: context, contextLength: context.length, places: [] }
        strand.places.push({ event, start, end, from: strand.text.length, to: strand.text.length + end - start })
        strand.text += text.slice(start, end)
        strands.set(key, strand)
      }
    }
    return strands.values()
  }

  /** Undefined when what would pass is denied. */
  #passOn(released: number, found: readonly Found[]): Uint8Array | undefined {
    const edits = this.#held.map((): Edit[] => [])
    let isDenied = false
    for (const { finding, parts } of found) {
      if ((parts[0]?.event ?? released) >= released) continue
      const treatment = this.#screening.treat(finding.detector)
      isDenied ||= treatment === 'deny'
      if (treatment !== 'redact') continue
      for (const [index, { event, start, end }] of parts.entries()) edits[event]?.push({ start, end, text: index === 0 ? redactionOf(finding.detector) : '' })
    }
    if (isDenied) return undefined
    const passing = this.#held.slice(0, released)
    this.#held = this.#held.slice(released)
    for (const { text, pieces } of passing) {
      this.#heldBytes -= text.length
      for (const { strand, start, end } of pieces) this.#remember(strand, text.slice(start, end))
    }
    return Buffer.from(passing.map(({ text }, event) => applyEdits(text, new JsonPlaces().fit(text, joinEdits(edits[event] ?? [])))).join(''), 'latin1')
  }

  #remember(strand: string, text: string): void {
    const context = `${this.#contexts.get(strand) ?? ''}${text}`.slice(-contextMax)
    this.#contexts.delete(strand)
    this.#contexts.set(strand, context)
    const [oldest] = this.#contexts.keys()
    if (this.#contexts.size > strandsMax && oldest !== undefined) this.#contexts.delete(oldest)
  }
}

const nothing = new Uint8Array(0)

function firstOf({ parts }: Found): number {
  return parts[0]?.event ?? 0
}

function piecesOf(event: string): readonly DeltaPiece[] {
  const lines = [...event.matchAll(/^data:.*/gm)]
  const [line] = lines
  return lines.length === 1 && line ? deltaPieces(event, line.index + 'data:'.length, line.index + line[0].length) : []
}

/** A text that comes in parts. */
interface Strand {
  text: string
  readonly contextLength: number
  readonly places: Place[]
}

interface Place {
  readonly event: number
  readonly start: number
  readonly end: number
  /** Where it stands in the text of its strand. */
  readonly from: number
  readonly to: number
}

function partsOf({ start, end }: Finding, places: readonly Place[]): Found['parts'] {
  return places
    .filter(({ from, to }) => from < end && to > start)
    .map((place) => ({ event: place.event, start: place.start + Math.max(0, start - place.from), end: place.end - Math.max(0, place.to - end) }))
}
