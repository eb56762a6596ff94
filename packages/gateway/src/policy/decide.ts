import { problems, unreachable, type Problem } from '@sallyport/contract'
import { permit, type CallDigest, type Decision, type Denial, type Effect, type Grounds, type Hold } from './decision.ts'
import { readFound } from './detections.ts'
import type { Subject } from './match.ts'
import { objectionToTool } from './objection-to-tool.ts'
import { countsSubject, ownQuota, type Quota } from './quota.ts'
import type { Question } from './question.ts'
import { isReachable } from './reach.ts'
import { readFacts } from './read-paths.ts'
import type { PolicySnapshot, Rule } from './snapshot.ts'
import type { PolicyState } from './state.ts'
import { mostUse, reserveOf } from './token-use.ts'

/** The grounds of what no rule of the operator decides. */
const ownRule = 'builtin/own'
const protocolRule = 'builtin/protocol'

/** Most rules that an entry names; the reason says how many more there were. */
const rulesNamedMax = 32

/**
 * Judges one call: deny > hold > permit > nothing, and nothing means no. The order of rules plays no part.
 *
 * Synchronous, and pure over `state` and the arguments, which `replay` relies on. A permit has charged every quota that counts the call (of
 * tokens and cost the most that it can use, to be settled with its outcome) and used up its approval if it needed one; a denial or a hold has charged nothing.
 *
 * - A rule whose condition cannot be evaluated denies, whatever it was to say.
 * - Rules in shadow mode are recorded and change nothing.
 * - A tool whose definition is not the accepted one is not called, whatever the rules say.
 * - Refuses `policy.no-rule`, `policy.denied`, `policy.approval-denied`, `policy.tool-changed`, `policy.tool-unlisted`, and `policy.quota-exhausted` with the seconds to wait, where waiting helps.
 */
export function decide(
  policy: PolicySnapshot,
  state: PolicyState,
  request: Question,
  digest: CallDigest,
  nowMs: number,
  newApprovalId: () => string,
): Decision {
  switch (request.standing) {
    case 'own': {
      const charged = charge([ownQuota], state, request, { ...nothing, rules: [ownRule] }, nowMs)
      return charged.kind === 'deny' ? charged : permit(charged.grounds)
    }
    case 'protocol':
      return decideProtocol(policy, state, request, nowMs)
    case 'call':
      return decideCall(policy, state, request, digest, nowMs, newApprovalId)
    default:
      return unreachable(request.standing)
  }
}

const nothing: Grounds = { rules: [], shadow: [], facts: {}, quotas: [], reason: undefined }

/** What the rules say of a call, before quotas and approvals. */
interface Findings {
  /** The strictest effect that any enforced rule has here; undefined when none applies. */
  readonly effect: Effect | undefined
  readonly rules: readonly Rule[]
  readonly grounds: Grounds
}

function decideProtocol(policy: PolicySnapshot, state: PolicyState, request: Question, nowMs: number): Decision {
  if (!isReachable(policy, request.principal, request.place)) return deny({ code: 'policy.no-rule' }, nothing, 'no rule could permit this agent anything here')
  const charged = charge(countingQuotas(policy, request), state, request, { ...nothing, rules: [protocolRule] }, nowMs)
  return charged.kind === 'deny' ? charged : permit(charged.grounds)
}

function decideCall(policy: PolicySnapshot, state: PolicyState, request: Question, digest: CallDigest, nowMs: number, newApprovalId: () => string): Decision {
  const findings = judge(policy.rulesFor(subjectOf(request)), request, nowMs)
  const objection = findings.effect === 'hold' || findings.effect === 'permit' ? objectionToTool(state.tools, request) : undefined
  if (objection) return deny(objection, findings.grounds, problems[objection.code].title)
  switch (findings.effect) {
    case undefined:
      return deny({ code: 'policy.no-rule' }, findings.grounds)
    case 'deny':
      return deny({ code: 'policy.denied' }, findings.grounds)
    case 'hold':
      return decideHeld(policy, state, request, digest, nowMs, newApprovalId, findings)
    case 'permit': {
      const charged = charge(countingQuotas(policy, request), state, request, findings.grounds, nowMs)
      return charged.kind === 'deny' ? charged : permit(charged.grounds)
    }
    default:
      return unreachable(findings.effect)
  }
}

function decideHeld(
  policy: PolicySnapshot,
  state: PolicyState,
  request: Question,
  digest: CallDigest,
  nowMs: number,
  newApprovalId: () => string,
  { rules, grounds }: Findings,
): Decision {
  // A person's yes is to one exact call; a body that nobody has read is not exact.
  if (request.isStreamed)
    return deny({ code: 'policy.denied', detail: unreadable }, grounds, 'the call must be approved, and its streamed body cannot be shown to anyone')
  const { approvals } = state
  const requester = { tenant: request.principal.tenant, agent: request.principal.agent }
  const found = approvals.find(requester, digest, nowMs)
  if (!found || found.state.kind === 'used') {
    const full = approvals.fullFor(requester, nowMs)
    if (full !== undefined) return deny({ code: 'policy.quota-exhausted', retryAfterSeconds: fullRetrySeconds }, grounds, full)
    const ttlMs = Math.min(...rules.map(({ approvalTtlMs }) => approvalTtlMs))
    return hold(approvals.ask(newApprovalId(), requester, digest, nowMs + ttlMs, nowMs), true, grounds)
  }
  switch (found.state.kind) {
    case 'denied':
      return deny({ code: 'policy.approval-denied' }, grounds, `${found.state.person} denied approval ${found.id}`)
    case 'pending':
      return hold(found, false, grounds)
    case 'approved': {
      const charged = charge(countingQuotas(policy, request), state, request, { ...grounds, reason: `${found.state.person} approved` }, nowMs)
      if (charged.kind === 'deny') return charged
      if (!approvals.consume(found.id, nowMs)) throw new TypeError('an approval that was found is no longer there')
      return permit(charged.grounds, found.id)
    }
    default:
      return unreachable(found.state)
  }
}

const unreadable = 'This call needs a person, who would have to see its body: send it as JSON, not larger than what is judged.'

/** When to come back while too many held calls wait for a person. */
const fullRetrySeconds = 60

/** Asks every rule, since one that fails denies whatever the others say. */
function judge(rules: readonly Rule[], request: Question, nowMs: number): Findings {
  const applying: { readonly rule: Rule; readonly effect: Effect }[] = []
  const idle: Rule[] = []
  const shadow: Grounds['shadow'][number][] = []
  const errors: string[] = []
  for (const rule of rules) {
    const judgement = rule.condition?.evaluate(request, nowMs) ?? always
    if (judgement.kind === 'value' && !judgement.holds) {
      if (!rule.isShadow) idle.push(rule)
      continue
    }
    const effect = judgement.kind === 'error' ? 'deny' : rule.effect
    if (rule.isShadow) shadow.push({ rule: rule.id, decision: effect })
    else applying.push({ rule, effect })
    if (judgement.kind === 'error' && !rule.isShadow) errors.push(`rule ${rule.id} cannot be evaluated: ${judgement.message}`)
  }
  const effect = strictestFirst.find((candidate) => applying.some((applied) => applied.effect === candidate))
  const deciding = applying.filter((applied) => applied.effect === effect).map(({ rule }) => rule)
  const explained = effect === undefined ? idle : deciding
  const detections = explained.flatMap(({ condition }) => condition?.detections ?? [])
  const reasons = [...errors.slice(0, 3), ...tooMany(deciding), ...(effect === undefined ? whyNothing(idle) : [])]
  return {
    effect,
    rules: deciding,
    grounds: {
      rules: deciding.slice(0, rulesNamedMax).map(({ id }) => id),
      shadow: shadow.slice(0, rulesNamedMax),
      facts: readFacts(
        explained.flatMap(({ condition }) => condition?.reads ?? []),
        request,
        detections,
      ),
      found: readFound(detections, request),
      quotas: [],
      reason: reasons.length > 0 ? reasons.join('; ') : undefined,
    },
  }
}

const always = { kind: 'value', holds: true } as const
const strictestFirst: readonly Effect[] = ['deny', 'hold', 'permit']

function tooMany(rules: readonly Rule[]): readonly string[] {
  return rules.length > rulesNamedMax ? [`and ${rules.length - rulesNamedMax} more rules`] : []
}

function whyNothing(idle: readonly Rule[]): readonly string[] {
  if (idle.length === 0) return ['no rule matches']
  return [
    `matching rules whose conditions do not hold: ${idle
      .slice(0, 5)
      .map(({ id }) => id)
      .join(', ')}`,
  ]
}

/** Charges what counts this call, all of it or nothing. */
function countingQuotas(policy: PolicySnapshot, request: Question): readonly Quota[] {
  const subject = subjectOf(request)
  const standing = request.standing === 'protocol' ? 'protocol' : 'call'
  return policy.quotas.filter((quota) => countsSubject(quota, subject, standing))
}

function charge(
  counting: readonly Quota[],
  state: PolicyState,
  request: Question,
  grounds: Grounds,
  nowMs: number,
): Denial | { readonly kind: 'charged'; readonly grounds: Grounds } {
  const use = mostUse(request)
  const charged = state.quotas.charge(counting, subjectOf(request), use, request.id, nowMs)
  if (charged.kind === 'charged')
    return { kind: 'charged', grounds: { ...grounds, quotas: charged.quotas, ...(charged.isReserved && { reserved: reserveOf(use) }) } }
  const { quota, retryAfterMs, reason, detail } = charged
  const problem: Problem = {
    code: 'policy.quota-exhausted',
    ...(retryAfterMs !== undefined && { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)) }),
    ...(detail !== undefined && { detail }),
  }
  return deny(problem, { ...grounds, quotas: [quota] }, `quota ${quota}: ${reason}`)
}

function deny(problem: Problem, grounds: Grounds, reason?: string): Denial {
  return { kind: 'deny', problem, grounds: reason === undefined ? grounds : { ...grounds, reason } }
}

function hold({ id, expiresAt }: Hold['approval'], isNew: boolean, grounds: Grounds): Hold {
  return { kind: 'hold', approval: { id, expiresAt }, isNew, grounds }
}

function subjectOf({ principal, upstream, action }: Question): Subject {
  return { tenant: principal.tenant, agent: principal.agent, upstream, action }
}
