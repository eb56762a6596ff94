import { durationBuckets, metricDefinitions, type CounterName, type GaugeName, type HistogramName, type Labels, type MetricName } from './metric-definitions.ts'

/** Sets of labels kept at once, of all metrics together; further ones are counted under `other`. */
export const seriesMax = 2000

/** One set of labels of a metric. Can be cloned, so that threads can tell theirs. */
export interface Series {
  readonly name: MetricName
  readonly labels: Readonly<Record<string, string>>
  /** Of a counter its count; of a gauge what it shows now; of a histogram the count of each bucket, of what lies beyond them all, and the sum of what was observed. */
  readonly values: readonly number[]
}

/** Counters and histograms since the start. */
export class Metrics {
  readonly #series = new Map<string, Series & { readonly values: number[] }>()

  count<Name extends CounterName>(name: Name, labels: Labels<Name>): void {
    add(this.#valuesOf(name, labels, 1), [1])
  }

  observe<Name extends HistogramName>(name: Name, labels: Labels<Name>, seconds: number): void {
    const values = this.#valuesOf(name, labels, durationBuckets.length + 2)
    const bucket = durationBuckets.findIndex((end) => seconds <= end)
    const at = bucket === -1 ? durationBuckets.length : bucket
    values[at] = (values[at] ?? 0) + 1
    values[durationBuckets.length + 1] = (values[durationBuckets.length + 1] ?? 0) + seconds
  }

  /** With those of other threads added. */
  series(others: Iterable<Series> = []): readonly Series[] {
    const sums = new Map([...this.#series].map(([key, series]) => [key, { ...series, values: [...series.values] }]))
    for (const series of others) {
      const key = keyOf(series.name, series.labels)
      const sum = sums.get(key)
      if (sum) add(sum.values, series.values)
      else sums.set(key, { ...series, values: [...series.values] })
    }
    return [...sums.values()]
  }

  #valuesOf(name: MetricName, labels: Readonly<Record<string, string>>, length: number): number[] {
    const key = keyOf(name, labels)
    const known = this.#series.get(key)
    if (known) return known.values
    if (this.#series.size >= seriesMax && labels['other'] === undefined) return this.#valuesOf(name, { other: 'true' }, length)
    const values = Array.from({ length }, () => 0)
    this.#series.set(key, { name, labels, values })
    return values
  }
}

/** What a gauge shows now. It belongs to one thread, since the gauges of several would be added up. */
export function gauge<Name extends GaugeName>(name: Name, labels: Labels<Name>, value: number): Series {
  return { name, labels, values: [value] }
}

function add(sums: number[], more: readonly number[]): void {
  for (const [at, value] of more.entries()) sums[at] = (sums[at] ?? 0) + value
}

function keyOf(name: MetricName, labels: Readonly<Record<string, string>>): string {
  let key: string = name
  for (const label in labels) key += `\0${label}\0${labels[label]}`
  return key
}

/** In the text format of Prometheus, version 0.0.4. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function prometheusText(all: readonly Series[]): string {
  return Object.entries(metricDefinitions)
    .flatMap(([name, { kind, help }]) => {
      const lines = all.filter((series) => series.name === name).flatMap(kind === 'histogram' ? histogramLines : valueLines)
      return lines.length > 0 ? [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines] : []
    })
    .map((line) => `${line}\n`)
    .join('')
}

function valueLines({ name, labels, values: [value = 0] }: Series): readonly string[] {
  return [`${name}${written(labels)} ${value}`]
}

function histogramLines({ name, labels, values }: Series): readonly string[] {
  let below = 0
  const buckets = [...durationBuckets, '+Inf'].map((end, at) => `${name}_bucket${written({ ...labels, le: String(end) })} ${(below += values[at] ?? 0)}`)
  return [...buckets, `${name}_sum${written(labels)} ${values[durationBuckets.length + 1] ?? 0}`, `${name}_count${written(labels)} ${below}`]
}

function written(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value.replace(/["\\\n]/g, '_')}"`)
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}
