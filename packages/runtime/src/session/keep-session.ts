import type { ProblemCode, ProblemDocument } from '@sallyport/contract'
import type { Clock } from '../link/clock.ts'
import type { SessionGranted } from './session-calls.ts'
import { heldSession, type HeldSession, type SessionStore } from './session-files.ts'

export const sessionKeepingLimits = {
  /** A wait is cut here and looked at again: a sleeping laptop stops timers, and another process may have claimed a session. */
  waitMsMax: 60_000,
  /** Between two looks at the file. */
  lookMsMin: 1_000,
  firstRetryMs: 1_000,
  retryMsMax: 60_000,
  /** Between two refreshes because the gateway refused a ticket. */
  doubtMsMin: 10_000,
} as const

/** A ticket is replaced at 60 to 80 % of its life: agents that began together do not ask together. */
const earliestShare = 0.6
const spreadShare = 0.2
/** By how much a wait is drawn out at random, at most. */
const retrySpread = 0.25

export interface KeepingTerms {
  readonly store: SessionStore
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  /** The thumbprint of the certificate that requests show, or will show next. */
  readonly certificate: () => string
  /** Over a connection that shows that certificate. @throws Fault */
  readonly refresh: (handle: string) => Promise<SessionGranted>
  /** Another process has renewed the certificate: takes it over. */
  readonly catchUp: () => Promise<void>
  /** There is a ticket for this certificate now. */
  readonly obtained: (certificate: string) => void
  /** The first of a row of failures, and each end of a session. */
  readonly report: (trouble: SessionTrouble) => void
}

/** Why there is no fresh ticket. */
export type SessionTrouble = ProblemDocument | Error

export interface KeptSession {
  /** The ticket to show over this certificate; waits while a refresh is under way that could bring one. Never rejects. */
  ticketFor(certificate: string): Promise<string | undefined>
  /** Whether there is one without waiting. */
  holds(certificate: string): boolean
  /** The gateway has refused this ticket. */
  doubt(ticket: string): void
  /** The certificate changed: asks for a ticket that is bound to the new one. Resolves when that has been tried; never rejects. */
  rebind(): Promise<void>
  stop(): void
}

/** After these the handle is worth nothing, and only a person or another process can bring another. */
const ending: ReadonlySet<ProblemCode> = new Set(['session.none', 'session.invalid', 'session.stale-handle', 'session.login-required'])

/**
 * Keeps the ticket of a session fresh for as long as it runs.
 *
 * A new handle is stored before it, or its ticket, is used. Of several processes that hold one session one asks; the others take over its result. If an answer is
 * lost, the same handle is sent again, which the gateway answers the same. Between two tries it waits longer and longer, and as long as the gateway says.
 */
export function keepSession({ store, clock, random, certificate, refresh, catchUp, obtained, report }: KeepingTerms): KeptSession {
  let held: HeldSession | undefined
  let dueAtMs = 0
  /** A handle that the gateway has refused for good. */
  let spent: string | undefined
  let doubted: { readonly ticket: string; readonly atMs: number } | undefined
  let failures = 0
  let retryAtMs = 0
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined
  let isCatchingUp = false
  let isStopped = false
  let cancel = (): void => {}

  const holds = (shown: string): boolean => held?.certificate === shown && held.ticket !== doubted?.ticket && clock.now() < held.ticketEndsAtMs
  const isFresh = (): boolean => holds(certificate()) && clock.now() < dueAtMs
  const adopt = (next: HeldSession): void => {
    if (next.ticket !== held?.ticket) {
      const lifetimeMs = next.ticketEndsAtMs - next.obtainedAtMs
      dueAtMs = next.obtainedAtMs + Math.floor(lifetimeMs * (earliestShare + spreadShare * random()))
    }
    held = next
    if (holds(next.certificate)) obtained(next.certificate)
  }
  const fail = (trouble: SessionTrouble, retryAfterSeconds = 0): void => {
    const waitMs = Math.max(Math.min(sessionKeepingLimits.firstRetryMs * 2 ** failures, sessionKeepingLimits.retryMsMax), retryAfterSeconds * 1000)
    retryAtMs = clock.now() + Math.ceil(waitMs * (1 + retrySpread * random()))
    if (failures === 0 && !isStopped) report(trouble)
    failures += 1
  }
  const refuse = (handle: string, problem: ProblemDocument): void => {
    if (!ending.has(problem.code)) return fail(problem, problem.retryAfterSeconds)
    spent = handle
    if (!isStopped) report(problem)
  }

  const exchange = async (assertHeld: () => void): Promise<void> => {
    const stored = await store.load()
    if (stored) adopt(stored) // another process may have been faster
    if (!stored || stored.handle === spent || isFresh()) return
    const askedAtMs = clock.now()
    const answered = await refresh(stored.handle)
    if (answered.kind === 'refused') return refuse(stored.handle, answered.problem)
    const next = heldSession(answered.grant, askedAtMs)
    assertHeld()
    await store.keep(next) // before anything of it is used: after a crash the old handle would have no successor
    failures = 0
    retryAtMs = 0
    adopt(next)
  }
  const step = async (): Promise<void> => {
    const stored = await store.load()
    if (!stored || stored.handle === spent) {
      if (!stored) held = undefined
      return
    }
    if (stored.certificate !== certificate()) {
      isCatchingUp = true
      await catchUp().finally(() => (isCatchingUp = false))
    }
    adopt(stored)
    if (!isFresh() && clock.now() >= retryAtMs) await store.underLock(exchange)
  }
  /** One at a time; never rejects. */
  const look = (): Promise<void> =>
    (running ??= step()
      .catch((error: unknown) => fail(error instanceof Error ? error : new Error('the session cannot be kept', { cause: error })))
      .finally(() => {
        running = undefined
        lookedAtMs = clock.now()
        wait()
      }))
  const wait = (): void => {
    cancel()
    if (isStopped) return
    const nextAtMs = held && held.handle !== spent ? Math.max(dueAtMs, retryAtMs) : Number.POSITIVE_INFINITY
    const waitMs = Math.max(nextAtMs - clock.now(), sessionKeepingLimits.lookMsMin)
    cancel = clock.after(Math.min(waitMs, sessionKeepingLimits.waitMsMax), () => void look())
  }

  void look()
  return {
    holds,
    ticketFor: async (shown) => {
      if (!holds(shown) && (running !== undefined || clock.now() - lookedAtMs >= sessionKeepingLimits.lookMsMin)) await look()
      return holds(shown) ? held?.ticket : undefined
    },
    doubt: (ticket) => {
      if (held?.ticket !== ticket || clock.now() - (doubted?.atMs ?? Number.NEGATIVE_INFINITY) < sessionKeepingLimits.doubtMsMin) return
      doubted = { ticket, atMs: clock.now() }
      dueAtMs = 0
      void look()
    },
    rebind: async () => {
      if (isCatchingUp) return // whoever catches up goes on to ask
      await running
      dueAtMs = 0
      await look()
    },
    stop: () => {
      isStopped = true
      cancel()
    },
  }
}
