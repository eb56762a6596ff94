/** How far the exports are, in the text format of Prometheus. Their names come from the configuration, so no label needs escaping. */
export function exportMetrics(
  states: readonly { readonly name: string; readonly next: number; readonly lagEntries: number; readonly lagMs: number; readonly failures: number }[],
): string {
  return states
    .flatMap(({ name, next, lagEntries, lagMs, failures }) => [
      `sallyport_export_entries_total{export="${name}"} ${next}\n`,
      `sallyport_export_failures_total{export="${name}"} ${failures}\n`,
      `sallyport_export_lag_entries{export="${name}"} ${lagEntries}\n`,
      `sallyport_export_lag_seconds{export="${name}"} ${lagMs / 1000}\n`,
    ])
    .join('')
}
