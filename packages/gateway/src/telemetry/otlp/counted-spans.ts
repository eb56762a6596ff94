import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Metrics } from '../metrics.ts'

/** The result that exporters tell, by its structure: its type is not exported from where the exporters are. */
type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0]

/** How many finished spans wait or are being sent. The library drops silently what finds no room; this drops it first, and counts it. */
export class CountedSpans {
  readonly #max: number
  readonly #metrics: Metrics
  #waiting = 0

  constructor(max: number, metrics: Metrics) {
    this.#max = max
    this.#metrics = metrics
  }

  before(next: SpanProcessor): SpanProcessor {
    return {
      onStart: (span: Span, context) => next.onStart(span, context),
      onEnd: (span: ReadableSpan) => {
        if (this.#waiting >= this.#max) return this.#metrics.count('sallyport_telemetry_spans_dropped_total', {})
        this.#waiting += 1
        next.onEnd(span)
      },
      forceFlush: () => next.forceFlush(),
      shutdown: () => next.shutdown(),
    }
  }

  leave(count: number): void {
    this.#waiting -= count
  }
}

/** Tells how each batch fared. */
export class CountedSpanExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #spans: CountedSpans
  readonly #onExport: (failure: Error | undefined) => void

  constructor(exporter: SpanExporter, spans: CountedSpans, onExport: (failure: Error | undefined) => void) {
    this.#exporter = exporter
    this.#spans = spans
    this.#onExport = onExport
  }

  export(batch: ReadableSpan[], told: (result: ExportResult) => void): void {
    this.#exporter.export(batch, (result) => {
      this.#spans.leave(batch.length)
      this.#onExport(result.code === 0 ? undefined : (result.error ?? new Error('the receiver gave no reason')))
      told(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }
}
