import { gauge, type Series } from './metrics.ts'

/** How far the exports of the log are. Their names come from the configuration. */
export function exportSeries(
  states: readonly { readonly name: string; readonly next: number; readonly lagEntries: number; readonly lagMs: number; readonly failures: number }[],
): readonly Series[] {
  return states.flatMap(({ name, next, lagEntries, lagMs, failures }): readonly Series[] => {
    const labels = { export: name }
    return [
      gauge('sallyport_export_entries', labels, next),
      gauge('sallyport_export_lag_entries', labels, lagEntries),
      gauge('sallyport_export_lag_seconds', labels, lagMs / 1000),
      { name: 'sallyport_export_failures_total', labels, values: [failures] },
    ]
  })
}
