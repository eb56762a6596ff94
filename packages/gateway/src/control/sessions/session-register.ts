import { refused, type Refused } from '@sallyport/contract'
import { tokenPlace } from './sealed-texts.ts'
import { callerOf, type SessionAct } from './session-log.ts'
import { firstGeneration } from './session-record.ts'
import type { SessionFilter, SessionSummary } from './session-store.ts'
import type { Sessions, SessionsPorts } from './sessions.ts'
import type { CompletedLogin, SessionId } from './session.ts'

export interface SessionRegisterPorts extends Pick<SessionsPorts, 'store' | 'log' | 'seal' | 'ended' | 'report'> {
  readonly sessions: Pick<Sessions, 'returnOrphans'>
  readonly newId: () => string
}

/** Sessions that one question gives. */
export const sessionsListedMax = 1000
/** Sessions past their end that one sweep takes. */
const expiredMax = 256

/**
 * What operators do with sessions. `by` names the person; none: the gateway itself.
 *
 * What opens is written to the log first and then done; what ends is done first. A Fault of an act that ends sessions means: perhaps not all of them; repeat it.
 */
export class SessionRegister {
  readonly #ports: SessionRegisterPorts

  constructor(ports: SessionRegisterPorts) {
    this.#ports = ports
  }

  /** Opens a session for an agent after a person's login; the agent claims it. Refuses `control.conflict` when the agent has too many. @throws Fault */
  async open(login: CompletedLogin): Promise<{ readonly kind: 'opened'; readonly session: SessionId } | Refused> {
    const { store, log, seal, newId } = this.#ports
    const { owner, issuer, subject, scopes, person, client, refreshToken } = login
    const id = newId()
    const facts = {
      session: id,
      caller: callerOf(owner),
      issuer,
      subject,
      ...(person !== undefined && { person }),
      ...(client && { client: client.id, resource: client.resource }),
    }
    await log.write({ act: 'opened', ...facts })
    const opened = await store.open({
      id,
      owner,
      issuer,
      subject,
      scopes,
      person,
      client,
      sealedToken: seal.seal(tokenPlace(id, firstGeneration), refreshToken),
    })
    if (opened === 'too-many') {
      await log.tell({ act: 'revoked', ...facts, reason: 'the agent has too many sessions' })
      const detail = `The agent ${owner.tenant}/${owner.agent} has too many sessions: revoke some.`
      return refused('control.conflict', detail, { detail })
    }
    for (const replaced of opened.replaced) await this.#tellEnd('revoked', replaced, 'a newer one was opened')
    void this.#ports.sessions.returnOrphans()
    return { kind: 'opened', session: id }
  }

  list(filter: SessionFilter = {}): Promise<readonly SessionSummary[]> {
    return this.#ports.store.list(filter, sessionsListedMax)
  }

  /** Refuses `control.not-found`. @throws Fault */
  async describe(session: SessionId): Promise<SessionSummary | Refused> {
    return (await this.#ports.store.find(session)) ?? notFound(session)
  }

  /** Ends a session for good, whatever is under way, and its live tickets with it. Refuses `control.not-found`. Idempotent. @throws Fault */
  revoke(session: SessionId, by: string | undefined, reason = 'revoked by an operator'): Promise<{ readonly kind: 'ended' } | Refused> {
    return this.#end('revoked', session, by, reason)
  }

  /** Treats a session as breached: nothing of it counts any more, and its agent is told that a person must log in. Refuses `control.not-found`. @throws Fault */
  quarantine(session: SessionId, by: string, reason = 'quarantined by an operator'): Promise<{ readonly kind: 'ended' } | Refused> {
    return this.#end('quarantined', session, by, reason)
  }

  /** Revokes every session that was opened before, with every token that descends from it. Idempotent. @throws Fault */
  async revokeIssuedBefore(time: number, by: string): Promise<readonly SessionSummary[]> {
    const reason = `issued before ${new Date(time).toISOString()}`
    const ended = await this.#ports.store.revokeIssuedBefore(time, reason)
    for (const session of ended) await this.#tellEnd('revoked', session, reason, by)
    void this.#ports.sessions.returnOrphans()
    return ended
  }

  /** Ends what is past its end, and gives back what the provider has not taken yet; to be called every minute. Never rejects. */
  async sweep(): Promise<void> {
    try {
      for (const session of await this.#ports.store.expire(expiredMax)) await this.#tellEnd('expired', session, 'past its end')
    } catch (fault) {
      this.#ports.report('session-sweep', fault)
    }
    await this.#ports.sessions.returnOrphans()
  }

  async #end(act: 'revoked' | 'quarantined', session: SessionId, by: string | undefined, reason: string): Promise<{ readonly kind: 'ended' } | Refused> {
    const { store, ended } = this.#ports
    const found = await store.find(session)
    if (!found) return notFound(session)
    ended(session) // at once, on this node, whatever the store waits for
    const done = await (act === 'revoked' ? store.revoke(session, reason) : store.quarantine(session, reason))
    if (done === 'unknown') return notFound(session)
    if (done === 'done') await this.#tellEnd(act, found, reason, by)
    void this.#ports.sessions.returnOrphans()
    return { kind: 'ended' }
  }

  async #tellEnd(act: SessionAct['act'], { id, owner }: SessionSummary, reason: string, person?: string): Promise<void> {
    this.#ports.ended(id)
    await this.#ports.log.tell({ act, session: id, caller: callerOf(owner), reason, ...(person !== undefined && { person }) })
  }
}

function notFound(session: SessionId): Refused {
  const detail = `There is no session ${session}.`
  return refused('control.not-found', detail, { detail })
}
