import { callerHeader, GatheredBytes, refused, ticketHeader, type Refused } from '@sallyport/contract'
import type { A2aCall } from '../../access/access-request.ts'
import { parseMediaType } from '../../access/media-type.ts'
import { headerValue, type Answer, type HeaderLines } from '../../edge/inbound.ts'
import type { Principal } from '../../identity/identify.ts'
import type { Screening } from '../../policy/results.ts'
import { refusalOf, type Exchanges, type UpstreamRequest } from '../exchange.ts'
import type { Forwarded, OutcomeFacts } from '../forwarded.ts'
import { forwardHttp } from '../http/forward-http.ts'
import type { Delegations } from '../own/serve-delegation.ts'
import { cardLimits, rewriteCard } from './agent-card.ts'

/** What an answer tells beside its body. A challenge or a cookie would ask the caller for a credential, or give it one. */
const returned: ReadonlySet<string> = new Set(['content-type', 'cache-control', 'retry-after', 'a2a-version', 'a2a-extensions'])
const answerTypes: ReadonlySet<string> = new Set(['application/json', 'text/event-stream'])

/**
 * Brings the call to the agent that it is for, telling it signed who calls and, where the upstream says so, passing on the session with a ticket for that agent. Its
 * answer passes as it comes. An answer that would lead the caller elsewhere, or that is no answer of A2A, is withheld.
 *
 * @throws Fault of the keys that sign; nothing was sent then.
 */
export async function forwardA2a(
  exchanges: Exchanges,
  delegations: Delegations,
  call: A2aCall,
  principal: Principal,
  screening?: Screening,
): Promise<Forwarded> {
  const { upstream, target, headers, asked, signal } = call
  const [method, body] = asked.kind === 'message' ? ['POST', asked.bytes] : ['GET', undefined]
  const isStream = asked.kind === 'message' && asked.isSubscription
  const introduce = (peer: Principal): Promise<HeaderLines | Refused> => introduction(delegations, call, principal, peer)
  const introducing: Exchanges = { ...exchanges, send: (request: UpstreamRequest) => exchanges.send({ ...request, introduce, isStream }) }
  const forwarded = await forwardHttp(introducing, { kind: 'http', upstream, method, target, headers, body, signal }, principal, screening)
  if (forwarded.kind === 'refused') return forwarded
  const { answer, finished } = forwarded
  const type = parseMediaType(headerValue(answer.headers, 'content-type') ?? '')?.name
  if (answer.status >= 300 && answer.status < 400) return withhold(forwarded, `answered with status ${answer.status}, which leads elsewhere`)
  if (type === undefined || !answerTypes.has(type)) return withhold(forwarded, 'answered with neither JSON nor events')
  if (asked.kind === 'card') return forwardCard(forwarded, asked.url)
  return { kind: 'answer', answer: { ...answer, headers: answer.headers.filter(([name]) => returned.has(name)) }, finished }
}

async function introduction(delegations: Delegations, call: A2aCall, principal: Principal, peer: Principal): Promise<HeaderLines | Refused> {
  const { id, tenant, agent, thumbprint, notAfterMs, session } = principal
  const signed = await delegations.introduce({
    from: { id, tenant, agent, thumbprint, notAfterMs },
    to: call.peer,
    shown: { thumbprint: peer.thumbprint, notAfterMs: peer.notAfterMs },
    request: call.requestId,
    passesOn: session && call.passesOn && { session, scopes: call.passesOn },
  })
  if ('problem' in signed) return signed
  return [[callerHeader, signed.caller], ...(signed.ticket === undefined ? [] : [[ticketHeader, signed.ticket] as const])]
}

type Answered = Extract<Forwarded, { kind: 'answer' }>

async function forwardCard(forwarded: Answered, url: string): Promise<Forwarded> {
  const { answer, finished } = forwarded
  const bytes = answer.status === 200 ? await readCard(answer.body) : undefined
  if (!bytes) return withhold(forwarded, `has no card of at most ${cardLimits.bytesMax} bytes`)
  if ('problem' in bytes) return { kind: 'refused', ...bytes, finished }
  const rewritten = rewriteCard(bytes, url)
  if (rewritten.kind === 'unusable') return withhold(forwarded, rewritten.reason)
  const headers: HeaderLines = [
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'], // it says where this very caller reached the gateway
  ]
  return { kind: 'answer', answer: { status: 200, headers, body: rewritten.bytes }, finished }
}

/** Undefined for one that is too large. */
async function readCard(body: Answer['body']): Promise<Uint8Array | Pick<Refused, 'problem' | 'reason'> | undefined> {
  if (body instanceof Uint8Array) return body
  const gathered = new GatheredBytes()
  try {
    for await (const piece of body) {
      if (gathered.length + piece.length > cardLimits.bytesMax) return undefined
      gathered.add(piece)
    }
    return gathered.take()
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal) return refusal
    throw error
  }
}

/** Reads no further, and says why. */
async function withhold({ answer, finished }: Answered, reason: string): Promise<Forwarded> {
  const { body } = answer
  if (!(body instanceof Uint8Array)) await body[Symbol.asyncIterator]().return?.()
  const { problem } = refused('forward.upstream-failed', reason, { detail: `The agent ${reason}.`.slice(0, 512) })
  const facts = finished.then((ended): OutcomeFacts => ({ ...ended, result: 'failed', code: problem.code }))
  return { kind: 'refused', problem, reason, finished: facts }
}
