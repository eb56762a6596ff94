import type { Refused } from '@sallyport/contract'
import { nextRenewalAt, type HeldIdentity } from '../enrolment/index.ts'
import type { Clock } from './clock.ts'
import type { IdentitySource } from './identity-source.ts'

export const renewalLimits = {
  /** A wait is cut here and looked at again: a sleeping laptop stops timers. */
  waitMsMax: 60_000,
  firstRetryMs: 15_000,
  retryMsMax: 600_000,
} as const

export interface Renewal {
  /** Takes over a newer identity that another process has stored. */
  catchUp(): Promise<void>
  /** Renews at once; of concurrent calls all share one exchange with the gateway. */
  now(): Promise<Refused | { readonly kind: 'renewed'; readonly held: HeldIdentity }>
  stop(): void
}

/**
 * Keeps an identity renewed: at two thirds of a certificate's life, first taking over what another process has stored meanwhile, then asking the gateway. After a
 * failure it tries again, less and less often, for as long as it runs.
 *
 * `adopt` is called with each new identity, `report` with each failure; neither may throw or reject.
 */
export function keepRenewed(
  source: IdentitySource,
  start: HeldIdentity,
  clock: Clock,
  adopt: (held: HeldIdentity) => Promise<void>,
  report: (failure: unknown) => void,
): Renewal {
  let current = start
  let failures = 0
  let isStopped = false
  let cancel = (): void => {}
  let running: ReturnType<Renewal['now']> | undefined

  const take = async (held: HeldIdentity): Promise<{ readonly kind: 'renewed'; readonly held: HeldIdentity }> => {
    current = held
    failures = 0
    await adopt(held)
    return { kind: 'renewed', held }
  }
  const exchange = async (): ReturnType<Renewal['now']> => {
    const stored = await source.load()
    if (stored.notAfterMs > current.notAfterMs) return await take(stored)
    const answered = await source.renew()
    return answered.kind === 'refused' ? answered : await take(answered.held)
  }
  const now = (): ReturnType<Renewal['now']> => (running ??= exchange().finally(() => (running = undefined)))

  const dueMs = (): number => Math.max(nextRenewalAt(current), retryAtMs)
  let retryAtMs = 0
  const fail = (failure: unknown): void => {
    retryAtMs = clock.now() + Math.min(renewalLimits.firstRetryMs * 2 ** failures, renewalLimits.retryMsMax)
    failures += 1
    report(failure)
  }
  const wait = (): void => {
    if (isStopped) return
    cancel = clock.after(Math.min(Math.max(dueMs() - clock.now(), 0), renewalLimits.waitMsMax), () => void look())
  }
  const look = async (): Promise<void> => {
    if (clock.now() >= dueMs()) {
      try {
        const answered = await now()
        if (answered.kind === 'refused') fail(answered)
      } catch (error) {
        fail(error)
      }
    }
    wait()
  }

  wait()
  return {
    now,
    catchUp: async () => {
      const stored = await source.load()
      if (stored.notAfterMs > current.notAfterMs) await take(stored)
    },
    stop: () => {
      isStopped = true
      cancel()
    },
  }
}
