import { Fault, ownPaths, sessionEndAnswer, sessionGrantAnswer, type Json, type ProblemDocument, type SessionGrantAnswer } from '@sallyport/contract'
import type { LinkRequest } from '../link/lines.ts'
import { readJson, separateProblem, type LinkAnswer } from '../link/read-answer.ts'

/** Sends a request as this agent, over whichever of its connections. */
export type Send = (request: LinkRequest) => Promise<LinkAnswer>

export interface SessionRefused {
  readonly kind: 'refused'
  readonly problem: ProblemDocument
}

export type SessionGranted = SessionRefused | { readonly kind: 'granted'; readonly grant: SessionGrantAnswer }

const answerMsMax = 15_000
const answerBytesMax = 65_536

/** Takes up the session that a person has opened for this agent. @throws Fault */
export function claimSession(send: Send): Promise<SessionGranted> {
  return askForGrant(send, ownPaths.sessionClaim, {})
}

/** Trades a handle for its successor. After a Fault of unknown outcome the same handle gets the same answer, for a while. @throws Fault */
export function refreshSession(send: Send, handle: string): Promise<SessionGranted> {
  return askForGrant(send, ownPaths.sessionRefresh, { handle })
}

/** @throws Fault */
export async function endSession(send: Send, handle: string): Promise<SessionRefused | { readonly kind: 'ended' }> {
  const asked = await ask(send, ownPaths.sessionEnd, { handle })
  if (asked.kind === 'refused') return asked
  if (!sessionEndAnswer.safeParse(asked.value).success) throw notAGateway(ownPaths.sessionEnd)
  return { kind: 'ended' }
}

async function askForGrant(send: Send, path: string, body: Json): Promise<SessionGranted> {
  const asked = await ask(send, path, body)
  if (asked.kind === 'refused') return asked
  const grant = sessionGrantAnswer.safeParse(asked.value)
  if (!grant.success) throw notAGateway(path)
  return { kind: 'granted', grant: grant.data }
}

async function ask(send: Send, path: string, body: Json): Promise<SessionRefused | { readonly kind: 'answer'; readonly value: Json }> {
  const bytes = Buffer.from(JSON.stringify(body))
  const answer = await send({
    method: 'POST',
    path,
    headers: [
      ['accept', 'application/json'],
      ['content-type', 'application/json'],
      ['content-length', String(bytes.length)],
    ],
    body: bytes,
    headMsMax: answerMsMax,
    idleMsMax: answerMsMax,
  })
  const separated = await separateProblem(answer)
  if (separated.kind === 'refused') return separated
  const value = await readJson(separated.answer, answerBytesMax)
  if (answer.status !== 200 || value === undefined) throw notAGateway(path)
  return { kind: 'answer', value }
}

function notAGateway(path: string): Fault {
  return new Fault(`what answered ${path} is no gateway with sessions`, 'unknown')
}
