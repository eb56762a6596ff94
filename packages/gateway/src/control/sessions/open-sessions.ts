import { durationMs, type SessionsConfiguration } from '@sallyport/contract'
import type { Pause } from './deadline.ts'
import type { IdentityProvider } from './identity-provider.ts'
import type { Lineage } from './lineage.ts'
import type { Seal } from './sealed-texts.ts'
import { SessionLog, type NoteSession } from './session-log.ts'
import { sessionTermsDefault, type SessionTerms } from './session-record.ts'
import { SessionRegister } from './session-register.ts'
import type { SessionStore } from './session-store.ts'
import { Sessions, type SessionsPorts } from './sessions.ts'

/** Between two looks at what has ended. */
const sweepMs = 60_000

export interface OpenSessionsTerms extends Pick<SessionsPorts, 'mint' | 'now' | 'random' | 'refuse' | 'ended' | 'see' | 'report'> {
  readonly terms: SessionTerms
  readonly store: SessionStore
  readonly provider: IdentityProvider
  readonly lineage: Lineage
  readonly note: NoteSession
  readonly seal: Seal
  readonly pause: Pause
  readonly newId: () => string
}

export interface OpenedSessions {
  readonly agents: Sessions
  readonly register: SessionRegister
  /** Resolves when every flight has landed. */
  close(): Promise<void>
}

/** Joins the parts that keep sessions, over one store. */
export function openSessions(given: OpenSessionsTerms): OpenedSessions {
  const { terms, note, report, newId, ...ports } = given
  const log = new SessionLog(note, report)
  const agents = new Sessions({ ...ports, log, report }, terms)
  const register = new SessionRegister({ ...ports, log, report, sessions: agents, newId })
  const sweeping = setInterval(() => void register.sweep(), sweepMs).unref()
  return {
    agents,
    register,
    close: async () => {
      clearInterval(sweeping)
      await agents.close()
    },
  }
}

/** The operator's choices, with what they left out. */
export function sessionTerms(given: SessionsConfiguration | undefined): SessionTerms {
  const chosen = (text: string | undefined, otherwise: number): number => (text === undefined ? otherwise : durationMs(text))
  return {
    ...sessionTermsDefault,
    lifetimeMs: chosen(given?.lifetime, sessionTermsDefault.lifetimeMs),
    ticketMs: chosen(given?.ticket, sessionTermsDefault.ticketMs),
    quarantineMs: chosen(given?.quarantine, sessionTermsDefault.quarantineMs),
    replayMs: chosen(given?.replayWindow, sessionTermsDefault.replayMs),
  }
}
