import { refused, unreachable, type Problem, type Refused } from '@sallyport/contract'
import { a2aRefusal } from './access/a2a/a2a-refusal.ts'
import { ownUpstream, type AccessRequest } from './access/access-request.ts'
import type { AccessSnapshot } from './access/access-snapshot.ts'
import { llmRefusal } from './access/llm/llm-refusal.ts'
import { challenged } from './access/mcp/challenge.ts'
import { malformedRefusal, mcpRefusal } from './access/mcp/mcp-refusal.ts'
import type { McpRefused } from './access/mcp/rpc-refusal.ts'
import { toolListing } from './access/mcp/tool-listing.ts'
import { isOauthEndpoint, oauthRefusal } from './access/own/oauth-refusal.ts'
import type { RunMessage } from './access/own/understand-run.ts'
import { understand } from './access/understand.ts'
import type { Capture, Captured } from './audit/capture.ts'
import type { Receipt } from './audit/receipt.ts'
import { withholdSecrets } from './audit/runs/withhold-secrets.ts'
import { BodyError, type Answer, type Inbound } from './edge/inbound.ts'
import { problemAnswer } from './edge/problem-answer.ts'
import { forward, type ForwardPorts } from './forward/forward.ts'
import type { Forwarded } from './forward/forwarded.ts'
import { jsonAnswer } from './forward/own/own-answer.ts'
import { thumbprintOf } from './identity/certificate-identity.ts'
import { identify, outward, type Principal } from './identity/identify.ts'
import { identifySession, type SessionRules } from './identity/identify-session.ts'
import type { Roster } from './identity/roster.ts'
import type { TicketVerifier } from './identity/verify-ticket.ts'
import type { Denied, LedgerDoor, ListFirst, Verdict } from './ledger.ts'
import type { PolicySnapshot } from './policy/snapshot.ts'
import type { RunDoor } from './run-register.ts'

/** One immutable revision of the configuration, compiled. */
export interface Snapshot {
  /** SHA-256 of the canonical configuration, base64url. */
  readonly revision: string
  readonly sessions: SessionRules
  readonly access: AccessSnapshot
  readonly policy: PolicySnapshot
}

export interface Ports {
  readonly roster: Roster
  readonly tickets: TicketVerifier
  readonly ledger: LedgerDoor
  readonly capture: Pick<Capture, 'keep'>
  readonly runs: RunDoor
  /** A fresh opaque id. */
  readonly newId: () => string
  readonly forward: ForwardPorts
  readonly observe: (answered: { readonly code: Problem['code'] | 'answered'; readonly upstream: string | undefined }) => void
  /** A bug or a broken dependency, for the operator's own log. */
  readonly report: (fault: unknown, inbound: Inbound) => void
}

/** Who are you, what do you ask, may you, it is written, go, it is written. */
export async function handle(ports: Ports, current: () => Snapshot, inbound: Inbound): Promise<Answer> {
  try {
    const agent = identify(ports.roster, inbound.connection, inbound.receivedAt)
    if (agent.kind === 'refused') return refuseStranger(ports, inbound, agent)
    const snapshot = current()
    const principal = await identifySession(ports.tickets, snapshot.sessions, agent, inbound)
    if (principal.kind === 'refused') return challenged(snapshot.access, agent, inbound, principal, refuseKnown(ports, inbound, agent, principal))

    const request = await understandWhole(snapshot.access, ports.tickets, principal, inbound)
    if ('problem' in request) return refuseKnown(ports, inbound, principal, request)
    const call = 'message' in request ? undefined : request
    const captured = await ports.capture.keep(snapshot.policy, call) // durable, where its arguments must be kept
    if (captured.kind === 'refused') return refuse(ports, inbound, refuseUnjudged(ports, inbound, { principal }, captured).problem, call)
    await using kept = captured
    // Its body may have taken minutes to arrive, and its arguments seconds to be kept: what the operator has changed or revoked meanwhile counts.
    const same = identify(ports.roster, inbound.connection, inbound.receivedAt)
    if (same.kind === 'refused') return refuseStranger(ports, inbound, same)
    const still = await identifySession(ports.tickets, snapshot.sessions, same, inbound)
    if (still.kind === 'refused') return challenged(snapshot.access, agent, inbound, still, refuseKnown(ports, inbound, agent, still))
    if (current() !== snapshot) return refuseKnown(ports, inbound, principal, refused('access.configuration-changed', undefined, { retryAfterSeconds: 1 }))
    if ('message' in request) return await record(ports, inbound, request)

    const verdict = await decide(ports, current, snapshot, inbound, request, kept) // durable in the log when it resolves
    switch (verdict.kind) {
      case 'deny':
      case 'hold':
        return refuse(ports, inbound, verdict.problem, request)
      case 'permit': {
        const forwarded = await go(ports, snapshot, inbound.receivedAt, verdict.receipt)
        ports.ledger.settle(verdict.receipt, inbound.receivedAt, forwarded.finished) // the outcome is written when the exchange has ended
        return forwarded.kind === 'refused' ? refuse(ports, inbound, forwarded.problem, request) : answer(ports, forwarded.answer, request)
      }
      default:
        return unreachable(verdict)
    }
  } catch (error) {
    ports.report(error, inbound)
    return refuse(ports, inbound, { code: 'gateway.fault' })
  }
}

/** What a runtime records is no call: it goes nowhere but into the log, which is its decision and its end, and is answered when it is durable there. */
async function record(ports: Ports, inbound: Inbound, { principal, message }: RunMessage): Promise<Answer> {
  const { tenant, agent, thumbprint: certificate } = principal
  const recorded =
    message.first === undefined ? undefined : { first: message.first, records: message.records.map(withholdSecrets), isLast: message.isLast === true }
  const heard = await ports.runs.hear({ request: inbound.id, caller: { tenant, agent, certificate }, run: message.run, recorded })
  if (heard.kind === 'refused') return refuseKnown(ports, inbound, principal, heard)
  ports.observe({ code: 'answered', upstream: ownUpstream })
  return jsonAnswer({ ...heard.answer })
}

/**
 * Decides. Before a pinned tool is called or shown, the gateway must know what the upstream says of it now: then it first lists the tools itself, which is a
 * request like any other, judged, written and forwarded.
 */
async function decide(
  ports: Ports,
  current: () => Snapshot,
  snapshot: Snapshot,
  inbound: Inbound,
  request: AccessRequest,
  kept: Captured,
): Promise<Exclude<Verdict, ListFirst>> {
  const ask = async (): Promise<Verdict> => {
    const verdict = await ports.ledger.decide(snapshot, request, kept.cited)
    kept.isCited = verdict.kind !== 'list-first' && !(verdict.kind === 'deny' && verdict.isUnwritten === true)
    return verdict
  }
  const verdict = await ask()
  if (verdict.kind !== 'list-first') return verdict
  const failed = await list(ports, snapshot, inbound, toolListing(request, ports.newId()))
  if (failed) return refuseUnjudged(ports, inbound, request, failed)
  if (current() !== snapshot) return refuseUnjudged(ports, inbound, request, refused('access.configuration-changed', undefined, { retryAfterSeconds: 1 }))
  const again = await ask()
  if (again.kind !== 'list-first') return again
  return refuseUnjudged(ports, inbound, request, refused('policy.tool-unlisted', 'the tools changed again while they were listed', { retryAfterSeconds: 1 }))
}

async function list(ports: Ports, snapshot: Snapshot, inbound: Inbound, listing: AccessRequest): Promise<Pick<Refused, 'problem' | 'reason'> | undefined> {
  const verdict = await ports.ledger.decide(snapshot, listing)
  if (verdict.kind === 'list-first') throw new TypeError('a listing needs no listing')
  if (verdict.kind !== 'permit') return { problem: verdict.problem, reason: 'the tools of the upstream may not be listed now' }
  const forwarded = await go(ports, snapshot, inbound.receivedAt, verdict.receipt)
  ports.ledger.settle(verdict.receipt, inbound.receivedAt, forwarded.finished)
  return forwarded.kind === 'refused' ? forwarded : undefined
}

/** A call that no rule judged: the tools of its upstream are not known, or its arguments could not be kept. */
function refuseUnjudged(
  ports: Ports,
  inbound: Inbound,
  { principal }: Pick<AccessRequest, 'principal'>,
  { problem, reason }: Pick<Refused, 'problem' | 'reason'>,
): Denied {
  const { tenant, agent, thumbprint } = principal
  ports.ledger.refuse({ caller: { certificate: thumbprint, tenant, agent }, code: problem.code, reason, request: inbound.id })
  return { kind: 'deny', problem }
}

async function understandWhole(
  access: AccessSnapshot,
  tickets: TicketVerifier,
  principal: Principal,
  inbound: Inbound,
): Promise<AccessRequest | RunMessage | McpRefused> {
  try {
    return await understand(access, tickets, principal, inbound)
  } catch (error) {
    if (error instanceof BodyError) return refused(error.code, error.message)
    throw error
  }
}

/** Forwards; a bug on the way still gets its outcome, since the entry already says that the call was permitted. */
async function go(ports: Ports, snapshot: Snapshot, receivedAt: number, receipt: Receipt): Promise<Forwarded> {
  try {
    const forwarded = await forward(ports.forward, snapshot.policy, receipt)
    if (forwarded.kind !== 'refused') return forwarded
    const { reason } = forwarded
    return { ...forwarded, finished: forwarded.finished.then((facts) => ({ ...facts, reason })) }
  } catch (error) {
    ports.ledger.settle(receipt, receivedAt, Promise.resolve({ result: 'failed', code: 'gateway.fault' }))
    throw error
  }
}

/** Someone whose certificate no longer counts: the reason goes to the log, one poor code to the caller. */
function refuseStranger(ports: Ports, inbound: Inbound, { problem, reason }: Refused): Answer {
  const { certificate } = inbound.connection
  ports.ledger.refuse({ caller: { certificate: thumbprintOf(certificate) }, code: problem.code, reason, request: inbound.id })
  return refuse(ports, inbound, outward(problem))
}

/** A known agent whose ticket does not count, or whose call fits no protocol or target. */
function refuseKnown(ports: Ports, inbound: Inbound, { tenant, agent, thumbprint }: Principal, { problem, reason, rpc }: McpRefused): Answer {
  ports.ledger.refuse({ caller: { certificate: thumbprint, tenant, agent }, code: problem.code, reason, request: inbound.id })
  const answered = refuse(ports, inbound, problem)
  if (!rpc) return answered
  return inbound.path.startsWith('/a2a/') ? a2aRefusal(problem, inbound.id, rpc.id, rpc.code) : malformedRefusal(problem, inbound.id, rpc)
}

function answer(ports: Ports, given: Answer, { upstream }: AccessRequest): Answer {
  ports.observe({ code: 'answered', upstream })
  return given
}

function refuse(ports: Ports, inbound: Inbound, problem: Problem, request?: AccessRequest): Answer {
  ports.observe({ code: problem.code, upstream: request?.upstream })
  if (isOauthEndpoint(inbound.path)) return oauthRefusal(problem)
  if (request?.call.kind === 'mcp') return mcpRefusal(problem, inbound.id, request.call.message)
  if (request?.call.kind === 'a2a' && request.call.asked.kind === 'message') return a2aRefusal(problem, inbound.id, request.call.asked.message.id)
  return inbound.path.startsWith('/llm/') ? llmRefusal(problem, inbound.id) : problemAnswer(problem, inbound.id)
}
