import { captureModes, type CaptureConfiguration, type CaptureMode } from '@sallyport/contract'
import { detectorsNamed, suggestDetector } from './detect/catalog.ts'
import type { Grounds } from './decision.ts'
import type { Detector } from './detect/detector.ts'
import { compileMatch, dimensions, matchesSubject, type Match, type Subject } from './match.ts'
import { MatchIndex } from './match-index.ts'
import type { Redacting } from './redact/redact-text.ts'
import type { RuleFault } from './snapshot.ts'

interface CaptureRule {
  readonly match: Match
  readonly mode: CaptureMode
}

/** What is kept of the arguments of a call, and without what. */
export class CapturePolicy {
  readonly redacting: Redacting
  readonly #tellsFacts: boolean
  readonly #default: CaptureMode
  readonly #rules: MatchIndex<CaptureRule>
  readonly #keepsNothing: boolean

  constructor(otherwise: CaptureMode, rules: readonly CaptureRule[], detectors: readonly Detector[], tellsFacts: boolean) {
    this.#tellsFacts = tellsFacts
    this.redacting = { detectors, treat: () => 'redact' }
    this.#default = otherwise
    this.#rules = new MatchIndex(rules, dimensions)
    this.#keepsNothing = otherwise === 'off' && rules.every(({ mode }) => mode === 'off')
  }

  /** Of the rules that match, whatever their order, the one that keeps least counts: what somebody wanted not to be kept never is. */
  modeFor(subject: Subject): CaptureMode {
    if (this.#keepsNothing) return 'off'
    const modes = this.#rules
      .candidates(subject)
      .filter(({ match }) => matchesSubject(match, subject))
      .map(({ mode }) => mode)
    return captureModes.find((mode) => modes.includes(mode)) ?? this.#default
  }
  /** Those that an entry tells: without what conditions read of the arguments, where nothing of these may stay for ever. */
  factsToTell(facts: Grounds['facts']): Grounds['facts'] {
    return this.#tellsFacts ? facts : Object.fromEntries(Object.entries(facts).filter(([path]) => !/^args(?:[.[]|$)/.test(path)))
  }
}

const secrets = detectorsNamed('secret') ?? []

export const nothingCaptured = new CapturePolicy('off', [], secrets, true)

/** Every secret is redacted, whatever else is. */
export function compileCapture({ default: otherwise = 'off', rules = [], redact = [], facts = true }: CaptureConfiguration): {
  readonly faults: readonly RuleFault[]
  readonly capture: CapturePolicy
} {
  const faults = redact.flatMap((name, index) =>
    detectorsNamed(name)
      ? []
      : [{ rule: 'capture', where: ['capture', 'redact', index], message: `there is no detector '${name}'`, hint: suggestDetector(name) }],
  )
  const detectors = new Set([...secrets, ...redact.flatMap((name) => detectorsNamed(name) ?? [])])
  const compiled = rules.map(({ match, then }) => ({ match: compileMatch(match), mode: then }))
  return { faults, capture: new CapturePolicy(otherwise, compiled, [...detectors], facts) }
}
