import { refused, type Refused } from '@sallyport/contract'
import type { ClientLoginDesk } from '../control/login/client-logins.ts'
import type { AgentSessions, AskProof } from '../control/sessions/session.ts'
import { noClientLogins, type ClientLogins, type SentBrowser } from '../forward/own/serve-client-login.ts'
import type { AskingClient, GrantedSession, OwnSessions, SessionCaller } from '../forward/own/serve-own.ts'
import { identify, outward } from '../identity/identify.ts'
import type { Roster } from '../identity/roster.ts'
import type { Calls } from './calls.ts'
import type { MainApi } from './plane-ports.ts'

/** For an answer about a session: an agent gives up after 15 s, and must hear before it does that it may ask again. */
export const sessionCallMsMax = 10_000

const notConfigured = refused('session.none', 'no identity provider is configured', {
  detail: 'This gateway has no identity provider, so nobody can open a session: its operator adds one under "sessions".',
})

/** The sessions that this thread keeps, or none. What proves a caller is asked of `roster` each time, about the connection as it was shown to a data plane. */
export function localSessions(sessions: AgentSessions | undefined, roster: Roster, now: () => number): OwnSessions {
  return {
    claim: async (caller) => sessions?.claim(proofOf(roster, caller, now), now() + sessionCallMsMax) ?? notConfigured,
    refresh: async (caller, handle, client) => sessions?.refresh(handle, proofOf(roster, caller, now, client), now() + sessionCallMsMax) ?? notConfigured,
    end: async (caller, handle, client) => sessions?.end(handle, proofOf(roster, caller, now, client)) ?? notConfigured,
  }
}

/** The logins that this thread keeps, or none. */
export function localClientLogins(logins: ClientLoginDesk | undefined, roster: Roster, now: () => number): ClientLogins {
  if (!logins) return noClientLogins
  return {
    authorize: (caller, asked) => logins.authorize(proofOf(roster, caller, now), asked),
    exchange: (caller, asked) => logins.exchange(proofOf(roster, caller, now, { id: asked.client }), asked, now() + sessionCallMsMax),
  }
}

function proofOf(roster: Roster, { connection, signal }: SessionCaller, now: () => number, client?: AskingClient): AskProof {
  return () => {
    if (signal.aborted) return refused('identity.unauthenticated', 'the caller has gone away')
    const principal = identify(roster, connection, now())
    if (principal.kind === 'refused') return { ...principal, problem: outward(principal.problem) }
    const { id, tenant, agent, thumbprint } = principal
    return { id, tenant, agent, thumbprint, client }
  }
}

/** What the main thread does about sessions for one data-plane thread. */
export type SessionCalls = Pick<MainApi, 'claimSession' | 'refreshSession' | 'endSession' | 'authorizeClient' | 'exchangeCode' | 'leaveSession'>

/** Offers the sessions of this thread to another. Whoever waits there is gone when the thread is: call `leaveAll` then. */
export function offerSessions(sessions: OwnSessions, logins: ClientLogins): SessionCalls & { leaveAll(): void } {
  const callers = new Map<string, AbortController>()
  const serve = async <Answer>(id: string, connection: SessionCaller['connection'], act: (caller: SessionCaller) => Promise<Answer>): Promise<Answer> => {
    const leaving = new AbortController()
    callers.set(id, leaving)
    try {
      return await act({ connection, signal: leaving.signal })
    } finally {
      callers.delete(id)
    }
  }
  return {
    claimSession: (id, connection) => serve(id, connection, (caller) => sessions.claim(caller)),
    refreshSession: (id, connection, handle, client) => serve(id, connection, (caller) => sessions.refresh(caller, handle, client)),
    endSession: (id, connection, handle, client) => serve(id, connection, (caller) => sessions.end(caller, handle, client)),
    authorizeClient: (id, connection, asked) => serve(id, connection, (caller) => logins.authorize(caller, asked)),
    exchangeCode: (id, connection, asked) => serve(id, connection, (caller) => logins.exchange(caller, asked)),
    leaveSession: (id) => callers.get(id)?.abort(),
    leaveAll: () => {
      for (const leaving of callers.values()) leaving.abort()
    },
  }
}

/**
 * The sessions that the main thread keeps, and the logins of programs. The connection goes with each call, so that the main thread asks its own roster, which
 * changes first, and hears when the caller goes away.
 */
export function remoteSessions(main: Calls<SessionCalls>, newId: () => string): OwnSessions & ClientLogins {
  const ask = async <Answer>(
    { connection, signal }: SessionCaller,
    act: (id: string, shown: SessionCaller['connection']) => Promise<Answer>,
  ): Promise<Answer> => {
    const id = newId()
    const { certificate, issuers, remoteAddress } = connection
    const leave = (): void => void main.leaveSession(id).catch(() => undefined)
    const answering = act(id, { certificate, issuers, remoteAddress })
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    try {
      return await answering
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }
  return {
    claim: (caller) => ask<GrantedSession | Refused>(caller, (id, shown) => main.claimSession(id, shown)),
    refresh: (caller, handle, client) => ask<GrantedSession | Refused>(caller, (id, shown) => main.refreshSession(id, shown, handle, client)),
    end: (caller, handle, client) => ask<'ended' | Refused>(caller, (id, shown) => main.endSession(id, shown, handle, client)),
    authorize: (caller, asked) => ask<SentBrowser | Refused>(caller, (id, shown) => main.authorizeClient(id, shown, asked)),
    exchange: (caller, asked) => ask<GrantedSession | Refused>(caller, (id, shown) => main.exchangeCode(id, shown, asked)),
  }
}
