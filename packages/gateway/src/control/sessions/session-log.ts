import { Fault, type SessionEvent } from '@sallyport/contract'
import type { SessionOwner } from './session.ts'

export type SessionAct = Omit<SessionEvent, 'v' | 'time' | 'type'>

/** Writes an entry; durable when it resolves, with its index. Rejects with Fault. */
export type NoteSession = (entry: SessionAct & { readonly type: 'session' }) => Promise<number>

/** Where sessions write what happens. */
export class SessionLog {
  readonly #note: NoteSession
  readonly #report: (event: string, error: unknown) => void

  constructor(note: NoteSession, report: (event: string, error: unknown) => void) {
    this.#note = note
    this.#report = report
  }

  /** Durable when it resolves. @throws Fault */
  write(act: SessionAct): Promise<number> {
    return this.#note({ type: 'session', ...act })
  }

  /** Tells what has happened already. A log that cannot take it changes nothing about that, and is told to the operator. */
  async tell(act: SessionAct): Promise<void> {
    try {
      await this.write(act)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      this.#report('session-log', fault)
    }
  }
}

export function callerOf({ tenant, agent }: SessionOwner, certificate?: string): SessionEvent['caller'] {
  return { tenant, agent, ...(certificate !== undefined && { certificate }) }
}
