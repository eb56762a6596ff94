import { isCelList, isCelMap, type CelValue } from '@bufbuild/cel'
import type { Json } from '@sallyport/contract'
import { ownMember } from './condition-values.ts'
import { detectors } from './detect/catalog.ts'
import { contextMax, type Detector } from './detect/detector.ts'
import { scan, type Finding } from './detect/scan.ts'
import { workMax, type Meter } from './meter.ts'
import type { Question } from './question.ts'

/** A `detects(…)` of an expression: what it looks at and for. */
export interface Detection {
  /** The names from `args` on; where the expression does not say them, all arguments. */
  readonly names: readonly string[]
  readonly detectors: readonly Detector[]
}

/** Where something was found, how often, and never what. */
export interface FoundAt {
  readonly detector: string
  readonly path: string
  readonly count: number
}

/** A character is read by every detector, and again in each encoding that it may be a part of. */
const costPerScannedCharacter = 4

/**
 * Whether anything is found in a value of JSON: its strings, its numbers, the names of its members.
 *
 * @throws Error when that would cost too much, and for a value that is not of JSON
 */
export function detectsIn(value: CelValue | undefined, detectors: readonly Detector[], meter: Meter, name = ''): boolean {
  if (typeof value === 'string') return findInText(value, name, detectors, meter).length > 0
  if (typeof value === 'number' || typeof value === 'bigint') return findInText(String(value), name, detectors, meter).length > 0
  if (typeof value === 'boolean' || value === null) return false
  if (isCelList(value)) {
    for (const element of value) if (detectsIn(element, detectors, meter, name)) return true
    return false
  }
  if (isCelMap(value)) {
    for (const [key, member] of value.entries()) {
      const memberName = typeof key === 'string' ? key : '' // JSON has no others
      if (findInText(memberName, '', detectors, meter).length > 0 || detectsIn(member, detectors, meter, memberName)) return true
    }
    return false
  }
  throw new Error('detects looks at values of JSON')
}

/** A name in front of a text tells what kind of key it is. */
function findInText(text: string, name: string, detectors: readonly Detector[], meter: Pick<Meter, 'spend'>): readonly Finding[] {
  meter.spend((text.length + 1) * costPerScannedCharacter)
  const context = name === '' ? '' : `${name.slice(-contextMax)}: `
  return scan(context + text, context.length, true, detectors).findings
}

/** Most rows of one decision, and most levels of a path. */
const rowsMax = 32
const levelsMax = 16

/** What the detections of some conditions find in a call, for the record. Looks through as much of it as one condition may. */
export function readFound(detections: readonly Detection[], { args }: Pick<Question, 'args'>): readonly FoundAt[] {
  const rows = new Map<string, FoundAt>()
  const meter = { left: workMax, spend: (units: number): void => void (meter.left -= units) }
  const count = (path: readonly string[], detector: string): void => {
    const at = path.slice(0, levelsMax).join('.')
    const key = `${at} ${detector}`
    const before = rows.get(key)?.count ?? 0
    if (before > 0 || rows.size < rowsMax) rows.set(key, { detector, path: at, count: before + 1 })
  }
  const look = (value: Json, path: readonly string[], name: string, detectors: readonly Detector[]): void => {
    if (meter.left <= 0) return
    if (typeof value === 'string' || typeof value === 'number') {
      for (const { detector } of findInText(String(value).slice(0, meter.left), name, detectors, meter)) count(path, detector.name)
    } else if (Array.isArray(value)) {
      for (const element of value) look(element, path, name, detectors)
    } else if (typeof value === 'object' && value !== null) {
      for (const [member, inner] of Object.entries(value)) {
        const below = [...path, nameForRecord(member)]
        look(member, below, '', detectors)
        look(inner, below, member, detectors)
      }
    }
  }
  for (const [names, detectors] of byPlace(detections)) {
    const [, ...members] = names
    let value: Json | undefined = args
    for (const name of members) value = value === undefined ? undefined : ownMember(value, name)
    if (value !== undefined) look(value, ['args', ...members.map(nameForRecord)], members.at(-1) ?? '', detectors)
  }
  return [...rows.values()]
}

/** Places that several rules look at are looked at once. */
function byPlace(detections: readonly Detection[]): Iterable<readonly [names: readonly string[], detectors: readonly Detector[]]> {
  const places = new Map<string, readonly [names: readonly string[], detectors: readonly Detector[]]>()
  for (const { names, detectors } of detections) {
    const key = JSON.stringify(names)
    places.set(key, [names, [...new Set([...(places.get(key)?.[1] ?? []), ...detectors])]])
  }
  return places.values()
}

/** A name that the caller chose: only a plain one in which nothing is found gets into the log, which forgets nothing. */
function nameForRecord(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,31}$/.test(name) && scan(name, 0, true, detectors).findings.length === 0 ? name : '*'
}
