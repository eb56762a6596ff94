import { durationMs, type TelemetryConfiguration } from '@sallyport/contract'
import { objectionToSecret } from '../forward/credentials.ts'
import type { Metrics, Series } from './metrics.ts'
import type { Receiver } from './otlp/receiver.ts'
import type { Tracing } from './tracing.ts'

const intervalMsDefault = 60_000

export interface TelemetryTerms {
  readonly version: string
  readonly metrics: Metrics
  /** The value that all tenants share. @throws Fault */
  readonly revealShared: (secretName: string) => Promise<string | undefined>
  readonly report: (event: string, error: unknown) => void
}

/** Traces of one data plane, if any are wanted. OpenTelemetry is loaded only then. */
export async function openTraces(configuration: TelemetryConfiguration | undefined, terms: TelemetryTerms): Promise<Tracing | undefined> {
  const traces = configuration?.traces
  if (!traces) return undefined
  const { openTracing } = await import('./otlp/open-tracing.ts')
  const { sample = 1, trust = 'link', propagate = false } = traces
  return openTracing({ ...receiver('traces', traces, terms), sample, trust, propagate, version: terms.version }, terms.metrics)
}

/** Sends the metrics of all threads together, if that is wanted. */
export async function openMetrics(
  configuration: TelemetryConfiguration | undefined,
  terms: TelemetryTerms & { readonly collect: () => Promise<readonly Series[]>; readonly now: () => number },
): Promise<{ close(): Promise<void> } | undefined> {
  const given = configuration?.metrics
  if (!given) return undefined
  const { openMetricExport } = await import('./otlp/open-metric-export.ts')
  const { version, collect, now } = terms
  const intervalMs = given.interval === undefined ? intervalMsDefault : durationMs(given.interval)
  return openMetricExport({ ...receiver('metrics', given, terms), intervalMs, version, collect, now })
}

type Signal = keyof TelemetryConfiguration
type ReceiverConfiguration = NonNullable<TelemetryConfiguration[Signal]>

function receiver(signal: Signal, { endpoint, headers = {} }: ReceiverConfiguration, { metrics, revealShared, report }: TelemetryTerms): Receiver {
  let isFailing = false
  return {
    endpoint,
    headers: async () => {
      const filled: Record<string, string> = {}
      for (const [name, { secret, format = '{secret}' }] of Object.entries(headers)) {
        const value = await revealShared(secret).catch(() => undefined) // without it the receiver refuses, and that is told
        if (value !== undefined && objectionToSecret(value) === undefined) filled[name] = format.split('{secret}').join(value)
      }
      return filled
    },
    onExport: (failure) => {
      metrics.count('sallyport_telemetry_exports_total', { signal, result: failure ? 'failed' : 'sent' })
      // Once until it works again. Not its text: it can quote what the receiver says.
      if (failure && !isFailing) report('telemetry.export-failed', new Error(`the receiver of ${signal} does not take them (${reasonOf(failure)})`))
      isFailing = failure !== undefined
    },
  }
}

function reasonOf(failure: Error): string {
  const code: unknown = 'code' in failure ? failure.code : undefined
  if (typeof code === 'number') return `HTTP ${code}`
  return typeof code === 'string' ? code : failure.name
}
