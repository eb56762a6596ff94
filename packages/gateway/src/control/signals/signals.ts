import type { SignalEvent } from '@sallyport/contract'
import type { RunSight } from '../../run-register.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { ProviderSight } from '../login/providers.ts'
import type { SessionSight } from '../sessions/session-sight.ts'
import type { SignalTerms } from './alert-definition.ts'
import type { AlertHook } from './alert-hook.ts'
import { Detector, type Signal } from './detector.ts'

export interface SignalsPorts {
  /** Durable when it resolves, with the index of the entry. @throws Fault */
  readonly note: (entry: Omit<SignalEvent, 'v' | 'time'>) => Promise<number>
  readonly metrics: Pick<Metrics, 'count' | 'observe'>
  /** Absent: nobody is told. */
  readonly hook: Pick<AlertHook, 'offer'> | undefined
  readonly now: () => number
  /** Milliseconds since some moment; never runs backwards. */
  readonly elapsedMs: () => number
  readonly report: (event: string, error: unknown) => void
}

/** Sightings in one window from which on a signal is raised, where the configuration names none. */
const atLeast = { 'slow-path': 3, 'ownership-failed': 1, 'handle-reused': 1, 'no-session': 3, 'answer-unfit': 1, provider: 3, runtime: 1 } as const

/**
 * Sees the traffic of refreshes and what is odd in the records of runtimes: counts all of it, and of what is odd writes entries and tells the operator's receiver. Nothing waits for it, and what it cannot write it
 * tells all the same.
 */
export class Signals {
  readonly #ports: SignalsPorts
  readonly #terms: SignalTerms
  readonly #detector: Detector
  readonly #noting = new Set<Promise<void>>()

  constructor(ports: SignalsPorts, terms: SignalTerms) {
    this.#ports = ports
    this.#terms = terms
    const count = (result: 'raised' | 'left-out', { kind }: Signal): void => ports.metrics.count('sallyport_signals_total', { kind, result })
    this.#detector = new Detector(
      (signal) => {
        count('raised', signal)
        const noting = this.#note(signal).finally(() => this.#noting.delete(noting))
        this.#noting.add(noting)
      },
      (signal) => count('left-out', signal),
    )
  }

  seeSession(sight: SessionSight): void {
    if (sight.kind === 'refresh') return this.#seeRefresh(sight)
    const { kind, caller, session } = sight
    const { tenant, agent } = caller
    this.#detector.see({ kind, tenant, agent, ...(session !== undefined && { session }) }, atLeast[kind], this.#ports.elapsedMs())
  }

  seeProvider({ provider, result, milliseconds }: ProviderSight): void {
    this.#ports.metrics.observe('sallyport_provider_refresh_duration_seconds', { provider, result }, milliseconds / 1000)
    const now = this.#ports.elapsedMs()
    if (milliseconds >= this.#terms.providerSlowMs) this.#detector.see({ kind: 'provider-slow', provider }, atLeast.provider, now)
    // A refused token is the end of one session, and the provider is as it should be.
    if (result !== 'refreshed' && result !== 'refused') this.#detector.see({ kind: 'provider-failing', provider }, atLeast.provider, now)
  }

  seeRun({ kind, tenant, agent }: RunSight): void {
    this.#detector.see({ kind, tenant, agent }, atLeast.runtime, this.#ports.elapsedMs())
  }

  /** To be called every now and then: tells of what went on after its signal. */
  closeWindows(): void {
    this.#detector.closeWindows(this.#ports.elapsedMs())
  }

  /** Resolves when every signal has its entry, or none. */
  async close(): Promise<void> {
    await Promise.all(this.#noting)
  }

  #seeRefresh({ caller, result }: Extract<SessionSight, { kind: 'refresh' }>): void {
    this.#ports.metrics.count('sallyport_refreshes_total', { result })
    if (!caller) return // its certificate counts no longer
    const { tenant, agent } = caller
    const now = this.#ports.elapsedMs()
    this.#detector.see({ kind: 'refresh-burst', tenant, agent }, this.#terms.refreshesPerAgent, now)
    this.#detector.see({ kind: 'refresh-burst', tenant }, this.#terms.refreshesPerTenant, now)
  }

  async #note(signal: Signal): Promise<void> {
    const { note, hook, now, report } = this.#ports
    let index: number | undefined
    try {
      index = await note({ type: 'signal', ...signal })
    } catch (error) {
      report('signal-log', error)
    }
    hook?.offer({ ...signal, time: new Date(now()).toISOString(), ...(index !== undefined && { index }) })
  }
}
