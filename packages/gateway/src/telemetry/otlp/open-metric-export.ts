import { ValueType, type HrTime } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type CollectionResult,
  type MetricData,
  type MetricProducer,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import { durationBuckets, metricDefinitions, type MetricName } from '../metric-definitions.ts'
import type { Series } from '../metrics.ts'
import { closeInTime, exportMsMax, resourceOf, type Receiver } from './receiver.ts'

export interface MetricsTerms extends Receiver {
  readonly intervalMs: number
  readonly version: string
  /** Of all threads. */
  readonly collect: () => Promise<readonly Series[]>
  readonly now: () => number
}

/** Sends the metrics of the address for operations over OTLP/HTTP, all of them since the start, at each interval and at the end. */
export function openMetricExport(terms: MetricsTerms): { close(): Promise<void> } {
  const exporter = new OTLPMetricExporter({ url: terms.endpoint, headers: terms.headers, timeoutMillis: exportMsMax, concurrencyLimit: 2 })
  const provider = new MeterProvider({
    resource: resourceOf(terms.version),
    readers: [
      new PeriodicExportingMetricReader({
        exporter: telling(exporter, terms.onExport),
        exportIntervalMillis: terms.intervalMs,
        exportTimeoutMillis: Math.min(exportMsMax, terms.intervalMs),
        metricProducers: [producer(terms)],
      }),
    ],
  })
  return { close: () => closeInTime(() => provider.shutdown()) }
}

function telling(exporter: OTLPMetricExporter, onExport: Receiver['onExport']): PushMetricExporter {
  return {
    export: (metrics, told) =>
      exporter.export(metrics, (result) => {
        onExport(result.code === 0 ? undefined : (result.error ?? new Error('the receiver gave no reason')))
        told(result)
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
    selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
  }
}

function producer({ version, collect, now }: MetricsTerms): MetricProducer {
  const resource = resourceOf(version)
  const startTime = hrTime(now())
  return {
    collect: async (): Promise<CollectionResult> => {
      const all = await collect()
      const endTime = hrTime(now())
      const metrics = Object.keys(metricDefinitions).flatMap((name) => {
        const own = all.filter((series) => series.name === name)
        return own.length > 0 ? [metricData(own, startTime, endTime)] : []
      })
      return { resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'sallyport', version }, metrics }] }, errors: [] }
    },
  }
}

function metricData(all: readonly Series[], startTime: HrTime, endTime: HrTime): MetricData {
  const [{ name } = { name: 'sallyport_requests_total' as MetricName }] = all
  const { kind, help } = metricDefinitions[name]
  const base = { aggregationTemporality: AggregationTemporality.CUMULATIVE }
  const point = <Value>({ labels }: Series, value: Value) => ({ startTime, endTime, attributes: labels, value })
  if (kind === 'counter') {
    return {
      ...base,
      descriptor: { name, description: help, unit: '1', valueType: ValueType.INT },
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: all.map((series) => point(series, series.values[0] ?? 0)),
    }
  }
  if (kind === 'gauge') {
    return {
      ...base,
      descriptor: { name, description: help, unit: name.endsWith('_seconds') ? 's' : '1', valueType: ValueType.DOUBLE },
      dataPointType: DataPointType.GAUGE,
      dataPoints: all.map((series) => point(series, series.values[0] ?? 0)),
    }
  }
  return {
    ...base,
    descriptor: { name, description: help, unit: 's', valueType: ValueType.DOUBLE },
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: all.map((series) => {
      const counts = series.values.slice(0, durationBuckets.length + 1)
      const count = counts.reduce((sum, one) => sum + one, 0)
      return point(series, { buckets: { boundaries: [...durationBuckets], counts }, sum: series.values[durationBuckets.length + 1] ?? 0, count })
    }),
  }
}

function hrTime(epochMs: number): HrTime {
  return [Math.floor(epochMs / 1000), Math.round((epochMs % 1000) * 1_000_000)]
}
