import type { OutcomeEvent, ResultRuleConfiguration } from '@sallyport/contract'
import type { AccessRequest } from '../access/access-request.ts'
import { detectorsNamed, suggestDetector } from './detect/catalog.ts'
import type { Detector } from './detect/detector.ts'
import { compileMatch, type Match } from './match.ts'
import type { RuleFault } from './snapshot.ts'

/** What happens to an answer in which something was found; what was found by rules in shadow mode alone passes. */
export type Treatment = 'deny' | 'pass' | 'redact'

/** What answers must not carry to an agent. */
export interface ResultRule {
  readonly id: string
  readonly match: Match
  readonly detectors: ReadonlySet<Detector>
  readonly effect: 'deny' | 'redact'
  /** Answers that cannot be read are denied, too. */
  readonly deniesBinary: boolean
  readonly isShadow: boolean
}

export function compileResultRule(
  rule: ResultRuleConfiguration,
  where: readonly (string | number)[],
): { readonly faults: readonly RuleFault[]; readonly rule: ResultRule } {
  const { id, match, detect, then, binary, mode } = rule
  const faults: RuleFault[] = detect.flatMap((name, index) =>
    detectorsNamed(name) ? [] : [{ rule: id, where: [...where, 'detect', index], message: `there is no detector '${name}'`, hint: suggestDetector(name) }],
  )
  if (binary === 'deny' && then !== 'deny') {
    faults.push({
      rule: id,
      where: [...where, 'binary'],
      message: 'nothing can be redacted in an answer that cannot be read',
      hint: 'binary: deny belongs to then: deny',
    })
  }
  const detectors = new Set(detect.flatMap((name) => detectorsNamed(name) ?? []))
  return { faults, rule: { id, match: compileMatch(match), detectors, effect: then, deniesBinary: binary === 'deny', isShadow: mode === 'shadow' } }
}

/** Rows of one outcome; what is found beyond them is treated the same and not counted. */
const rowsMax = 64

type FoundInResult = NonNullable<OutcomeEvent['found']>[number]

/** What the answers to one call are looked through for, and what was found in them. */
export class ResultWatch {
  readonly #rules: readonly ResultRule[]
  readonly #action: string | undefined
  readonly #counts = new Map<string, { rule: ResultRule; detector: Detector; count: number }>()

  constructor(rules: readonly ResultRule[], { principal, action, call }: Pick<AccessRequest, 'principal' | 'action' | 'call'>) {
    this.#rules = rules.filter(({ match }) => match.tenant.matches(principal.tenant) && match.agent.matches(principal.agent))
    // The stream of a session, where it is resumed, brings the answers to any of its calls: then rules apply whatever action they are about.
    this.#action = call.kind === 'mcp' && call.verb === 'GET' ? undefined : action
  }

  /** For an answer of this upstream; undefined when no rule is about it. */
  at(upstream: string): Screening | undefined {
    const action = this.#action
    const rules = this.#rules.filter(({ match }) => match.upstream.matches(upstream) && (action === undefined || match.action.matches(action)))
    return rules.length === 0 ? undefined : new Screening(rules, (rule, detector) => this.#count(rule, detector))
  }

  /** As the outcome tells it; nothing when nothing was found. */
  get found(): { readonly found?: readonly FoundInResult[] } {
    if (this.#counts.size === 0) return {}
    const found = [...this.#counts.values()].map(({ rule, detector, count }) => ({
      rule: rule.id,
      detector: detector.name,
      count,
      ...(rule.isShadow && { shadow: true as const }),
    }))
    return { found }
  }

  #count(rule: ResultRule, detector: Detector): void {
    const key = `${rule.id} ${detector.name}`
    const row = this.#counts.get(key)
    if (row) row.count += 1
    else if (this.#counts.size < rowsMax) this.#counts.set(key, { rule, detector, count: 1 })
  }
}

/** The rules that are about one answer, as one. */
export class Screening {
  /** Each that any of the rules asks for. */
  readonly detectors: readonly Detector[]
  /** False: all rules are in shadow mode, and nothing may change. */
  readonly isEnforced: boolean
  readonly canDeny: boolean
  readonly deniesBinary: boolean
  readonly #rules: readonly ResultRule[]
  readonly #count: (rule: ResultRule, detector: Detector) => void

  constructor(rules: readonly ResultRule[], count: (rule: ResultRule, detector: Detector) => void) {
    const enforced = rules.filter(({ isShadow }) => !isShadow)
    this.detectors = [...new Set(rules.flatMap(({ detectors }) => [...detectors]))]
    this.isEnforced = enforced.length > 0
    this.canDeny = enforced.some(({ effect }) => effect === 'deny')
    this.deniesBinary = enforced.some(({ deniesBinary }) => deniesBinary)
    this.#rules = rules
    this.#count = count
  }

  /** Counts one finding for every rule that asks for it, and says what happens to it: the strictest of what enforced rules say. */
  treat(detector: Detector): Treatment {
    let treatment: Treatment = 'pass'
    for (const rule of this.#rules) {
      if (!rule.detectors.has(detector)) continue
      this.#count(rule, detector)
      if (!rule.isShadow && treatment !== 'deny') treatment = rule.effect
    }
    return treatment
  }
}

/** What stands in the place of a finding; harmless in JSON, HTML, a URL and a header field. */
export function redactionOf({ name }: Detector): string {
  return `[redacted ${name}]`
}
