/** Sets of labels kept at once, of all metrics together; further ones are counted under `other`. */
export const seriesMax = 2000

/** Counters in the text format of Prometheus. */
export class Metrics {
  readonly #counters = new Map<string, number>()

  count(name: string, labels: Readonly<Record<string, string>> = {}): void {
    const written = Object.entries(labels).map(([label, value]) => `${label}="${value.replace(/["\\\n]/g, '_')}"`)
    const series = `sallyport_${name}_total${written.length > 0 ? `{${written.join(',')}}` : ''}`
    const key = this.#counters.has(series) || this.#counters.size < seriesMax ? series : `sallyport_${name}_total{other="true"}`
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + 1)
  }

  counters(): readonly (readonly [series: string, count: number])[] {
    return [...this.#counters]
  }

  /** With the counters of other threads added. */
  text(others: Iterable<readonly [series: string, count: number]> = []): string {
    const sums = new Map(this.#counters)
    for (const [series, count] of others) sums.set(series, (sums.get(series) ?? 0) + count)
    return [...sums]
      .map(([series, value]) => `${series} ${value}\n`)
      .sort()
      .join('')
  }
}
