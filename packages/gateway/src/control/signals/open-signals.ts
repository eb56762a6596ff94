import type { Pause } from '../sessions/deadline.ts'
import type { SignalTerms, WebhookDefinition } from './alert-definition.ts'
import { AlertHook } from './alert-hook.ts'
import { Signals, type SignalsPorts } from './signals.ts'
import { openWebhook, type WebhookPorts } from './webhook.ts'

/** Between two looks at windows that are over. */
const sweepMs = 10_000

export interface OpenSignalsTerms extends Omit<SignalsPorts, 'hook'>, WebhookPorts {
  readonly terms: SignalTerms
  readonly webhook: WebhookDefinition | undefined
  readonly newId: () => string
  readonly pause: Pause
}

export interface OpenedSignals {
  readonly signals: Signals
  /** Resolves when every signal has its entry; what the receiver was not told of is given up. */
  close(): Promise<void>
}

/** Joins what sees with who is told. */
export function openSignals(given: OpenSignalsTerms): OpenedSignals {
  const { terms, webhook, metrics, newId, pause, elapsedMs, report } = given
  const way = webhook && openWebhook(webhook, given)
  const hook =
    way &&
    new AlertHook(
      {
        deliver: way.deliver,
        newId: () => `msg_${newId()}`,
        pause,
        nowMs: elapsedMs,
        count: (result) => metrics.count('sallyport_alerts_total', { result }),
        report: (error) => report('alert-failed', error),
      },
      webhook.perMinute,
    )
  const signals = new Signals({ ...given, hook }, terms)
  const sweeping = setInterval(() => signals.closeWindows(), sweepMs).unref()
  return {
    signals,
    close: async () => {
      clearInterval(sweeping)
      await signals.close()
      await Promise.all([way?.close(), hook?.close()])
    },
  }
}
