import { isDeepStrictEqual } from 'node:util'
import {
  callerAlgorithm,
  callerType,
  Fault,
  parseSpiffeId,
  readTicketClaims,
  refused,
  ticketAlgorithm,
  ticketLimits,
  ticketType,
  writeTicketClaims,
  type CallerClaims,
  type Refused,
  type Ticket,
  type TrustDomain,
} from '@sallyport/contract'
import { CompactSign } from 'jose'
import type { Note } from '../authority/agent-register.ts'
import { InOrder } from '../in-order.ts'
import type { MintTicket, TicketFacts } from '../sessions/session.ts'
import { LiveTicketTrust, type RevokedSession } from './live-ticket-trust.ts'
import {
  activeAmong,
  newTicketKey,
  readTicketKeys,
  rotated,
  statusOf,
  ticketKeysMax,
  withoutSpent,
  writeTicketKeys,
  type KeptTicketKeys,
  type SigningKey,
} from './ticket-keys.ts'

export interface TicketsOptions {
  readonly trustDomain: TrustDomain
  readonly kept: KeptTicketKeys
  /** Sessions that were revoked in the last five minutes, or earlier: their tickets may be alive, and what was in memory before a restart is gone. */
  readonly revoked: readonly RevokedSession[]
  readonly note: Note
  /** Resolves when every other gateway that shares the keys has had time to learn of new ones. */
  readonly learned: () => Promise<void>
  readonly now: () => number
  readonly newId: () => string
}

/** The keys of tickets: one signs, the next is published already, the one before counts until its tickets have ended. */
export class Tickets {
  /** What every thread that serves agents must know; see `LiveTicketTrust.onChange`. */
  readonly trust: LiveTicketTrust
  readonly #options: TicketsOptions
  readonly #inOrder = new InOrder()
  #keys: readonly SigningKey[]
  #signs: SigningKey
  /** A recovery was asked for and has not replaced the keys yet. */
  #isRecovering = false

  constructor(options: TicketsOptions, keys: readonly SigningKey[]) {
    this.#options = options
    this.#keys = keys
    this.#signs = activeAmong(keys)
    this.trust = new LiveTicketTrust(options.trustDomain)
  }

  /** Takes over what another gateway has made of the keys. @throws Fault */
  follow(): Promise<void> {
    return this.#inOrder.run(() => this.#readAgain())
  }

  get status(): readonly { readonly kid: string; readonly status: 'next' | 'active' | 'retiring' }[] {
    return this.#keys.map((key) => ({ kid: key.jwk.kid, status: statusOf(key) }))
  }

  /**
   * Signs a ticket over these facts.
   *
   * @throws Fault `not-done` when they make no ticket: a person's name that is not ASCII, too many scopes, more than 4 KiB in all, more than five minutes
   */
  readonly mint: MintTicket = async (facts) => {
    const ticket = this.#ticketOver(facts)
    const payload = writeTicketClaims(ticket)
    // What comes out must be what the verifying side reads: a scope with a space in it would be two.
    if (!isDeepStrictEqual(readTicketClaims(payload), ticket)) throw new Fault('this session cannot be written as a ticket', 'not-done')
    const { jwk, privateKey } = this.#signs
    const text = await new CompactSign(payload).setProtectedHeader({ alg: ticketAlgorithm, typ: ticketType, kid: jwk.kid }).sign(privateKey)
    if (text.length > ticketLimits.charactersMax) throw new Fault('the ticket of this session would be too long', 'not-done')
    return text
  }

  /** Signs who calls, for one agent that is called. It is no ticket: it has a type of its own. @throws Fault */
  async vouch(claims: CallerClaims): Promise<string> {
    const { jwk, privateKey } = this.#signs
    const payload = new TextEncoder().encode(JSON.stringify(claims))
    return new CompactSign(payload).setProtectedHeader({ alg: callerAlgorithm, typ: callerType, kid: jwk.kid }).sign(privateKey)
  }

  /** Nothing counts that was issued under this session. In force everywhere when it resolves; the session itself is the store's business. */
  deny(session: string): Promise<void> {
    const nowMs = this.#options.now()
    return this.trust.apply({ kind: 'revoked', sessions: [{ session, revokedAtMs: nowMs }], nowMs })
  }

  /**
   * Lets the next key sign and makes another next one. Tickets under the key of before live to their end, at most five minutes.
   *
   * In force on every thread before the new key signs. Refuses `control.conflict` after too many rotations in a few minutes.
   *
   * @throws Fault; the keys are as before, or the rotation is done at the next start
   */
  rotate(by: string): Promise<Refused | { readonly kind: 'rotated'; readonly active: string }> {
    return this.#inOrder.run(async () => {
      const { kept, note, now } = this.#options
      const nowSeconds = Math.floor(now() / 1000)
      await this.#readAgain()
      const living = withoutSpent(this.#keys, nowSeconds)
      if (living.length >= ticketKeysMax)
        return refused('control.conflict', undefined, { detail: 'Tickets of too many earlier keys are alive: wait five minutes.', retryAfterSeconds: 300 })
      const keys = rotated(living, await newTicketKey(), nowSeconds)
      const active = activeAmong(keys)
      await note({ type: 'admin', act: 'ticket-key.rotated', person: by, subject: { key: active.jwk.kid, before: this.#signs.jwk.kid } })
      if ((await kept.keep(writeTicketKeys(keys))) === 'changed-meanwhile')
        return refused('control.conflict', undefined, { detail: 'Another gateway has replaced the keys at this moment: try again.', retryAfterSeconds: 1 })
      await this.#adopt(keys)
      return { kind: 'rotated', active: active.jwk.kid }
    })
  }

  /**
   * After the theft of a key: no ticket that was issued before counts any more, from the moment this is asked for. Agents get new ones by a refresh.
   *
   * @throws Fault; no ticket counts until it is repeated and resolves
   */
  recover(by: string): Promise<{ readonly kind: 'recovered'; readonly active: string }> {
    this.#isRecovering = true
    const denied = this.trust.apply({ kind: 'keys', keys: [] })
    return this.#inOrder.run(async () => {
      await denied
      const { kept, note, now } = this.#options
      const keys = await firstKeys(Math.floor(now() / 1000))
      const active = activeAmong(keys)
      while ((await kept.keep(writeTicketKeys(keys))) === 'changed-meanwhile') await kept.read()
      this.#isRecovering = false
      await this.#adopt(keys)
      await note({ type: 'admin', act: 'ticket-key.recovered', person: by, subject: { key: active.jwk.kid } })
      return { kind: 'recovered', active: active.jwk.kid }
    })
  }

  /** Makes what is kept known to whoever verifies. For `openTickets` alone. */
  async publish(): Promise<void> {
    if (this.#isRecovering) return
    const keys = this.#keys.map(({ jwk, signsFromSeconds, signsUntilSeconds }) => ({ jwk, signsFromSeconds, signsUntilSeconds }))
    await this.trust.apply({ kind: 'keys', keys })
  }

  /** Whoever verifies knows a key before anything is signed with it. */
  async #adopt(keys: readonly SigningKey[]): Promise<void> {
    this.#keys = keys
    await this.publish()
    await this.#options.learned()
    this.#signs = activeAmong(keys)
  }

  async #readAgain(): Promise<void> {
    const { kept, now } = this.#options
    const keys = await keptKeys(kept, Math.floor(now() / 1000))
    if (!keys || writeTicketKeys(keys) === writeTicketKeys(this.#keys)) return
    this.#keys = keys
    await this.publish()
    this.#signs = activeAmong(keys)
  }

  #ticketOver({ session, generation, owner, thumbprint, issuer, subject, scopes, resource, earlierActors = [], issuedAt, expiresAt }: TicketFacts): Ticket {
    const agent = parseSpiffeId(owner.id)
    if (!agent || agent.tenant !== owner.tenant || agent.agent !== owner.agent) throw new TypeError('the owner of a session is an agent')
    return {
      issuer: this.trust.issuer,
      audience: this.trust.audience,
      id: this.#options.newId(),
      session,
      generation,
      person: { issuer, subject },
      scopes: [...scopes],
      ...(resource !== undefined && { resource }),
      agent,
      earlierActors: [...earlierActors],
      thumbprint,
      issuedAtSeconds: Math.floor(issuedAt / 1000),
      expiresAtSeconds: Math.floor(expiresAt / 1000),
    }
  }
}

/** Opens the keys that are kept, or makes the first. @throws Fault when they are damaged or cannot be kept */
export async function openTickets(options: TicketsOptions): Promise<Tickets> {
  const { kept, now, revoked } = options
  const nowMs = now()
  const nowSeconds = Math.floor(nowMs / 1000)
  const keys = (await keptKeys(kept, nowSeconds)) ?? (await keepFirstKeys(kept, nowSeconds))
  const tickets = new Tickets(options, keys)
  await tickets.publish()
  await tickets.trust.apply({ kind: 'revoked', sessions: revoked, nowMs })
  return tickets
}

async function keptKeys(kept: KeptTicketKeys, nowSeconds: number): Promise<readonly SigningKey[] | undefined> {
  const text = await kept.read()
  return text === undefined ? undefined : withoutSpent(await readTicketKeys(text), nowSeconds)
}

/** Or takes those of a gateway that was faster. */
async function keepFirstKeys(kept: KeptTicketKeys, nowSeconds: number): Promise<readonly SigningKey[]> {
  const keys = await firstKeys(nowSeconds)
  if ((await kept.keep(writeTicketKeys(keys))) === 'kept') return keys
  const others = await keptKeys(kept, nowSeconds)
  if (!others) throw new TypeError('what another gateway has kept can be read')
  return others
}

async function firstKeys(nowSeconds: number): Promise<readonly SigningKey[]> {
  const [active, next] = await Promise.all([newTicketKey(), newTicketKey()])
  return rotated([active], next, nowSeconds)
}
