import {
  durationMs,
  type CaptureConfiguration,
  type MatchConfiguration,
  type QuotaConfiguration,
  type ResultRuleConfiguration,
  type RuleConfiguration,
} from '@sallyport/contract'
import { approvalTtlDefaultMs } from './approvals.ts'
import { compileCapture, nothingCaptured, type CapturePolicy } from './capture.ts'
import { compileCondition, type Condition } from './condition.ts'
import type { Effect } from './decision.ts'
import { compileMatch, dimensions, matchesSubject, type Match, type Subject } from './match.ts'
import { MatchIndex } from './match-index.ts'
import { compileQuota, type Quota } from './quota.ts'
import { compileResultRule, type ResultRule } from './results.ts'
import { suggest } from '../suggest.ts'

export interface Rule {
  readonly id: string
  readonly match: Match
  readonly condition: Condition | undefined
  readonly effect: Effect
  readonly approvalTtlMs: number
  readonly isShadow: boolean
}

/** What is wrong with a rule or a quota, and where in the configuration. */
export interface RuleFault {
  /** The id of the rule or quota. */
  readonly rule: string
  readonly where: readonly (string | number)[]
  /** UTF-16 units from the start of the text at `where`. */
  readonly offset?: number
  readonly message: string
  readonly hint?: string
}

/** The rules, quotas and rules for results of one revision: immutable, compiled once, indexed so that a call only meets the rules that could be about it. */
export class PolicySnapshot {
  readonly rules: readonly Rule[]
  readonly quotas: readonly Quota[]
  readonly results: readonly ResultRule[]
  readonly capture: CapturePolicy
  readonly #byCall: MatchIndex<Rule>
  readonly #byCaller: MatchIndex<Rule>

  constructor(rules: readonly Rule[], quotas: readonly Quota[], results: readonly ResultRule[], capture = nothingCaptured) {
    this.capture = capture
    this.rules = Object.freeze([...rules])
    this.quotas = Object.freeze([...quotas])
    this.results = Object.freeze([...results])
    this.#byCall = new MatchIndex(this.rules, dimensions)
    this.#byCaller = new MatchIndex(
      this.rules.filter(({ isShadow }) => !isShadow),
      ['tenant', 'agent', 'upstream'],
    )
  }

  /** Exactly the rules whose `match` is about this, those in shadow mode included. */
  rulesFor(subject: Subject): readonly Rule[] {
    return this.#byCall.candidates(subject).filter(({ match }) => matchesSubject(match, subject))
  }

  /** The enforced rules whose `match` is about anything that this caller could do, there or, without `upstream`, anywhere. */
  rulesAround({ tenant, agent }: Pick<Subject, 'tenant' | 'agent'>, upstream?: string): readonly Rule[] {
    const near = upstream === undefined ? this.rules.filter(({ isShadow }) => !isShadow) : this.#byCaller.candidates({ tenant, agent, upstream })
    return near.filter(
      ({ match }) => match.tenant.matches(tenant) && match.agent.matches(agent) && (upstream === undefined || match.upstream.matches(upstream)),
    )
  }
}

/** Compiles every rule, quota and rule for results, and what is captured, or says everything that is wrong with them. */
export function compilePolicy(
  rules: readonly RuleConfiguration[],
  quotas: readonly QuotaConfiguration[],
  known: { readonly upstreams: Iterable<string> },
  results: readonly ResultRuleConfiguration[] = [],
  captured: CaptureConfiguration = {},
): { readonly kind: 'invalid'; readonly faults: readonly RuleFault[] } | { readonly kind: 'compiled'; readonly snapshot: PolicySnapshot } {
  const upstreams = new Set(known.upstreams)
  const faults: RuleFault[] = [...duplicates(rules, 'rules'), ...duplicates(quotas, 'quotas'), ...duplicates(results, 'results')]
  const compiledRules: Rule[] = []
  for (const [index, rule] of rules.entries()) {
    faults.push(...unknownUpstreams(rule.id, rule.match, ['rules', index, 'match'], upstreams))
    if (rule.approval && rule.then !== 'hold') {
      faults.push({
        rule: rule.id,
        where: ['rules', index, 'approval'],
        message: `a rule that says ${rule.then} asks nobody`,
        hint: 'approval belongs to then: hold',
      })
    }
    const condition = rule.when === undefined ? undefined : compileCondition(rule.when)
    if (condition?.kind === 'invalid') faults.push(...condition.faults.map((fault) => ({ rule: rule.id, where: ['rules', index, 'when'], ...fault })))
    else compiledRules.push(compileRule(rule, condition?.condition))
  }
  const compiledQuotas: Quota[] = []
  for (const [index, configuration] of quotas.entries()) {
    faults.push(...unknownUpstreams(configuration.id, configuration.match ?? {}, ['quotas', index, 'match'], upstreams))
    const compiled = compileQuota(configuration)
    if (compiled.kind === 'compiled') compiledQuotas.push(compiled.quota)
    else faults.push({ rule: configuration.id, where: ['quotas', index, compiled.field], message: compiled.message, hint: compiled.hint })
  }
  const compiledResults: ResultRule[] = []
  for (const [index, configuration] of results.entries()) {
    faults.push(...unknownUpstreams(configuration.id, configuration.match, ['results', index, 'match'], upstreams))
    const compiled = compileResultRule(configuration, ['results', index])
    faults.push(...compiled.faults)
    compiledResults.push(compiled.rule)
  }
  for (const [index, { match }] of (captured.rules ?? []).entries())
    faults.push(...unknownUpstreams('capture', match, ['capture', 'rules', index, 'match'], upstreams))
  const { capture, faults: captureFaults } = compileCapture(captured)
  faults.push(...captureFaults)
  if (faults.length > 0) return { kind: 'invalid', faults }
  return { kind: 'compiled', snapshot: new PolicySnapshot(compiledRules, compiledQuotas, compiledResults, capture) }
}

function compileRule({ id, match, then, approval, mode }: RuleConfiguration, condition: Condition | undefined): Rule {
  const approvalTtlMs = approval?.expires === undefined ? approvalTtlDefaultMs : durationMs(approval.expires)
  return { id, match: compileMatch(match, then === 'permit'), condition, effect: then, approvalTtlMs, isShadow: mode === 'shadow' }
}

function duplicates(named: readonly { readonly id: string }[], section: string): readonly RuleFault[] {
  const first = new Map<string, number>()
  const faults: RuleFault[] = []
  for (const [index, { id }] of named.entries()) {
    const earlier = first.get(id)
    if (earlier === undefined) first.set(id, index)
    else
      faults.push({
        rule: id,
        where: [section, index, 'id'],
        message: `the id '${id}' is taken by ${section}[${earlier}]`,
        hint: 'the log names rules by their id, so each needs its own',
      })
  }
  return faults
}

function unknownUpstreams(
  rule: string,
  { upstream }: MatchConfiguration,
  where: readonly (string | number)[],
  known: ReadonlySet<string>,
): readonly RuleFault[] {
  const patterns =
    upstream === undefined
      ? []
      : typeof upstream === 'string'
        ? [[upstream, ['upstream']] as const]
        : upstream.map((name, index) => [name, ['upstream', index]] as const)
  return patterns
    .filter(([name]) => !name.includes('*') && !known.has(name))
    .map(([name, at]) => ({
      rule,
      where: [...where, ...at],
      message: `there is no upstream '${name}'`,
      hint: suggest(name, known) ?? (known.size > 0 ? `upstreams are ${[...known].slice(0, 10).join(', ')}` : 'no upstream is configured'),
    }))
}
