import type { Refused } from '@sallyport/contract'
import type { SessionGrant } from '../../packages/gateway/src/control/sessions/session.ts'
import { thumbprint } from './names.ts'
import { currentActor } from './scheduler.ts'
import { certificateOf, digestOf, startGeneration, terms, type Caller, type World } from './world.ts'

/** A rule of the world was broken; the message says which and how it came to that. */
export class Violation extends Error {
  constructor(rule: string, world: World) {
    super(`${rule}\n  ${world.scheduler.trace.join('\n  ')}`)
    this.name = 'Violation'
  }
}

interface Given {
  readonly caller: string
  readonly shown: string | undefined
  readonly grant: SessionGrant
  readonly generation: number
}

/**
 * What must hold in every run, judged from outside: by what callers get, what the provider was asked, what the log and the rows hold. It knows none of the steps
 * by which the code under test decides.
 */
export class Invariants {
  readonly #world: World
  readonly given: Given[] = []
  /** Certificates of the owner, by the record of the authority. */
  readonly ownCertificates = new Set<string>([thumbprint('owner-key')])
  #violation: Violation | undefined
  #revokedAt: number | undefined
  #lastRow = ''

  constructor(world: World) {
    this.#world = world
  }

  /** From here on the rows are watched. */
  begin(): void {
    this.#lastRow = this.#snapshot()
  }

  /** @throws Violation the first that was seen */
  check(): void {
    if (this.#violation) throw this.#violation
  }

  /** After every transaction that was committed. */
  afterWrite(): void {
    const row = this.#snapshot()
    if (row === this.#lastRow) return
    this.#lastRow = row
    if (currentActor().startsWith('thief')) this.#broken('someone without the key changed the state')
    const { state } = this.#world.row()
    if (this.#revokedAt !== undefined && state !== 'revoked') this.#broken('a revoked session came back')
    if (state === 'revoked') this.#revokedAt ??= this.#world.scheduler.time
  }

  answered(caller: Caller, handle: string | undefined, answer: SessionGrant | Refused): void {
    const { log } = this.#world
    if ('problem' in answer) {
      // Whoever has the handle and not the key learns nothing of the session, not even its state.
      if (
        caller.isThief &&
        !['session.invalid', 'session.none', 'session.unavailable'].includes(answer.problem.code) &&
        !answer.problem.code.startsWith('identity.')
      )
        this.#broken(`a thief learned ${answer.problem.code}`)
      return
    }
    const shown = certificateOf(caller)
    const row = this.#world.row()
    if (caller.isThief) this.#broken('a thief got a successor')
    if (shown === undefined || !this.ownCertificates.has(shown)) this.#broken('a successor without a proof that counts at this moment')
    if (row['certificate'] !== shown) this.#broken('a successor for a certificate that is not the one of the session')
    if (row['state'] === 'revoked' || row['state'] === 'reauth') this.#broken(`a ticket of a session that is ${String(row['state'])}`)
    const kept = this.#world.database.rows('session_handles').find(({ digest }) => digest === digestOf(answer.handle))
    if (kept === undefined) return this.#broken('an answer that is not kept yet')
    const generation = Number(kept['generation'])
    if (generation !== row['generation']) this.#broken('a handle that is not the current one')
    if (row['is_handle_used'] !== 0) this.#broken('a successor that was used already')
    const entry = log.findLast((logged) => logged.act !== 'validated' && logged.caller?.certificate === shown && logged.generation === generation)
    const allowed = entry?.validation === undefined ? undefined : log[entry.validation]
    if (entry?.act !== 'refreshed' && entry?.act !== 'claimed') this.#broken('an answer without an entry')
    else if (allowed?.act !== 'validated' || allowed.session !== entry.session || allowed.caller?.certificate !== shown)
      this.#broken('a refresh that names no validation of its own')
    if (!answer.ticket.includes(` ${shown} `)) this.#broken('a ticket for another certificate')
    if (answer.ticketExpiresAt > answer.sessionExpiresAt) this.#broken('a ticket that outlives its session')
    for (const other of this.given) {
      if (other.generation === generation && other.grant.handle !== answer.handle) this.#broken('two successors of one handle')
    }
    if (handle === answer.handle) this.#broken('a handle that is its own successor')
    this.given.push({ caller: caller.name, shown, grant: answer, generation })
  }

  reported(event: string, error: unknown): void {
    if (!(error instanceof Error) || error.name !== 'Fault') this.#broken(`a bug: ${event}: ${String(error instanceof Error ? error.stack : error)}`)
  }

  /** What can be said only when nothing moves any more. @throws Violation */
  atRest(): void {
    const { provider, log, scheduler } = this.#world
    const successes = provider.requests.filter(({ answered }) => answered === 'refreshed').length
    const rotated = new Set(this.given.filter(({ generation }) => generation > startGeneration).map(({ generation }) => generation))
    if (rotated.size > successes) this.#broken('more successors than answers of the provider')
    const sent = provider.requests.filter(({ wasSent }) => wasSent)
    const validated = log.filter(({ act }) => act === 'validated')
    for (const [index, request] of provider.requests.entries()) {
      if (request.actor.startsWith('thief')) this.#broken('a thief made the gateway ask the provider')
      if (validated.filter(({ at }) => at <= request.at).length < index + 1) this.#broken('the provider was asked without a validation before')
    }
    for (const token of new Set(sent.map((request) => request.token))) {
      const same = sent.filter((request) => request.token === token)
      // A provider that does not rotate may be asked for ever with one token, but each time it has answered: then the token is that of another generation.
      let open = 0
      for (const { answered } of same) {
        open = answered === 'refreshed' ? 0 : open + 1
        if (open > 2) this.#broken('the provider was asked more than twice with one token')
      }
      if (scheduler.odd.has('clockSteps')) continue
      for (const [index, request] of same.entries()) {
        const before = same[index - 1]
        if (!before) continue
        const isLeaseOver = request.at - before.at >= terms.flightMs + terms.quarantineMs
        if (request.beganMove < (before.endedMove ?? Number.POSITIVE_INFINITY)) {
          if (!isLeaseOver) this.#broken('the provider was asked twice at once')
        } else if (before.answered !== 'refreshed' && before.wasSent && request.at - (before.endedAt ?? 0) < terms.quarantineMs && !isLeaseOver)
          this.#broken('the provider was asked again before its quarantine was over')
      }
    }
    if (!scheduler.odd.has('crashes') && !scheduler.odd.has('faults')) this.#noTokenIsForgotten()
    const row = this.#world.row()
    if (row['state'] === 'active' && provider.revoked.includes(this.#tokenOf(row))) this.#broken('the token of a live session was given back')
    this.check()
  }

  /** Every token of the provider that still works is the session's or waits to be given back. */
  #noTokenIsForgotten(): void {
    const { provider, database, log } = this.#world
    const row = this.#world.row()
    const orphans: readonly Readonly<Record<string, unknown>>[] = database.rows('session_orphans')
    const held = new Set([
      this.#tokenOf(row),
      ...orphans.map((orphan) => this.#world.openToken(orphan['sealed'], String(orphan['session']), Number(orphan['generation']))),
    ])
    // Lost on the way from the provider, or given up and said so.
    const neverCame = provider.requests.some(({ answered }) => answered !== 'refreshed') || log.some(({ act }) => act === 'orphan-lost')
    for (const token of provider.tokens.keys())
      if (provider.isLive(token) && !held.has(token) && !neverCame) this.#broken(`a live token is forgotten: ${token}`)
  }

  #tokenOf(row: Readonly<Record<string, unknown>>): string {
    return this.#world.openToken(row['sealed_token'], String(row['id']), Number(row['generation']))
  }

  #snapshot(): string {
    return JSON.stringify(this.#world.database.rows('sessions'), (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    )
  }

  #broken(rule: string): void {
    this.#violation ??= new Violation(rule, this.#world)
  }
}
