import { ownPaths, sessionEndAnswer, sessionGrantAnswer, type SessionGrantAnswer } from '@sallyport/contract'
import { askGateway, notAGateway, type AskRefused, type Send } from '../link/ask-gateway.ts'

export type SessionGranted = AskRefused | { readonly kind: 'granted'; readonly grant: SessionGrantAnswer }

/** Takes up the session that a person has opened for this agent. @throws Fault */
export function claimSession(send: Send): Promise<SessionGranted> {
  return askForGrant(send, ownPaths.sessionClaim, {})
}

/** Trades a handle for its successor. After a Fault of unknown outcome the same handle gets the same answer, for a while. @throws Fault */
export function refreshSession(send: Send, handle: string): Promise<SessionGranted> {
  return askForGrant(send, ownPaths.sessionRefresh, { handle })
}

/** @throws Fault */
export async function endSession(send: Send, handle: string): Promise<AskRefused | { readonly kind: 'ended' }> {
  const asked = await askGateway(send, ownPaths.sessionEnd, { handle })
  if (asked.kind === 'refused') return asked
  if (!sessionEndAnswer.safeParse(asked.value).success) throw notAGateway(ownPaths.sessionEnd)
  return { kind: 'ended' }
}

async function askForGrant(send: Send, path: string, body: object): Promise<SessionGranted> {
  const asked = await askGateway(send, path, body)
  if (asked.kind === 'refused') return asked
  const grant = sessionGrantAnswer.safeParse(asked.value)
  if (!grant.success) throw notAGateway(path)
  return { kind: 'granted', grant: grant.data }
}
