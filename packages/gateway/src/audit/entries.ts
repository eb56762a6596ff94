import type { DecisionEvent, OutcomeEvent, Problem } from '@sallyport/contract'
import type { OutcomeFacts } from './outcome.ts'
import type { CitedPayload } from './payload.ts'
import type { PrincipalSession } from '../identity/identify.ts'
import type { CallDigest, Decision, Grounds } from '../policy/decision.ts'
import type { Question } from '../policy/question.ts'

/** Longest text of a caller's making in an entry, in UTF-16 units; the call digest covers what is cut. */
const textMax = 1024

export function entryTime(milliseconds: number): string {
  if (milliseconds !== last.milliseconds) last = { milliseconds, text: new Date(milliseconds).toISOString() }
  return last.text
}

/** Under load many entries are of one millisecond, and writing the time out takes longer than an entry's other members. */
let last = { milliseconds: 0, text: new Date(0).toISOString() }

/** `told`: what it tells of the arguments, where that is not what conditions read of them. */
export function decisionEntry(
  request: Question,
  decision: Decision,
  digest: CallDigest,
  revision: string,
  now: number,
  told: { readonly payload?: CitedPayload | undefined; readonly facts?: Grounds['facts'] } = {},
): DecisionEvent {
  const { principal } = request
  const { grounds } = decision
  const { payload, facts = grounds.facts } = told
  return {
    v: 1,
    type: 'decision',
    time: entryTime(now),
    request: request.id,
    caller: {
      tenant: principal.tenant,
      agent: principal.agent,
      certificate: principal.thumbprint,
      ...(principal.session && { session: principal.session.id, ...actorsOf(principal.session) }),
    },
    upstream: request.upstream,
    action: clip(request.action),
    resource: clip(request.resource),
    call: digest,
    ...(payload && { payload }),
    revision,
    decision: decision.kind,
    rules: [...grounds.rules],
    ...(decision.kind === 'deny' && { code: decision.problem.code }),
    ...(decision.kind === 'hold' && { code: 'policy.approval-required' satisfies Problem['code'], approvalExpires: entryTime(decision.approval.expiresAt) }),
    ...approvalOf(decision),
    ...(grounds.shadow.length > 0 && { shadow: grounds.shadow.map((shadow) => ({ ...shadow })) }),
    ...(Object.keys(facts).length > 0 && { facts: { ...facts } }),
    ...(grounds.found && grounds.found.length > 0 && { found: grounds.found.map((row) => ({ ...row })) }),
    ...(grounds.quotas.length > 0 && { quotas: [...grounds.quotas] }),
    ...(grounds.reserved && { reserved: grounds.reserved }),
    ...(grounds.reason !== undefined && { reason: clip(grounds.reason) }),
  }
}

/** A call that was permitted and has no outcome yet: the id of its request, and the index of its decision. */
export interface OpenPermit {
  readonly request: string
  readonly index: number
}

export function outcomeEntry({ request, index }: OpenPermit, facts: OutcomeFacts, startedAt: number, now: number): OutcomeEvent {
  const { toolCalls, found, ...plain } = facts
  return {
    v: 1,
    type: 'outcome',
    time: entryTime(now),
    request,
    decision: index,
    ...plain,
    ...(found && { found: [...found] }),
    ...(facts.reason !== undefined && { reason: clip(facts.reason) }),
    ...(toolCalls && { toolCalls: [...toolCalls] }),
    milliseconds: Math.max(0, now - startedAt),
  }
}

function actorsOf({ actors }: PrincipalSession): { actors?: string[] } {
  return actors.length > 0 ? { actors: actors.map(({ id }) => id) } : {}
}

function approvalOf(decision: Decision): { approval?: string } {
  if (decision.kind === 'hold') return { approval: decision.approval.id }
  return decision.kind === 'permit' && decision.approval !== undefined ? { approval: decision.approval } : {}
}

/** Cuts a text to what an entry takes; whatever it was made of, it can be written as JSON afterwards. */
export function clip(text: string): string {
  return (text.length > textMax ? `${text.slice(0, textMax - 1)}…` : text).toWellFormed()
}
