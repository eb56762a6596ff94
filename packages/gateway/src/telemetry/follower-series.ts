import { gauge, type Series } from './metrics.ts'

interface Lag {
  readonly lagEntries: number
  readonly lagMs: number
  readonly failures: number
}

/** How far those who follow the log are: the exports, whose names come from the configuration, and the archive. */
export function followerSeries({
  exports,
  archive,
}: {
  readonly exports: readonly (Lag & { readonly name: string; readonly next: number })[]
  readonly archive: (Lag & { readonly size: number; readonly conflict: string | undefined }) | undefined
}): readonly Series[] {
  const ofExports = exports.flatMap(({ name, next, lagEntries, lagMs, failures }): readonly Series[] => {
    const labels = { export: name }
    return [
      gauge('sallyport_export_entries', labels, next),
      gauge('sallyport_export_lag_entries', labels, lagEntries),
      gauge('sallyport_export_lag_seconds', labels, lagMs / 1000),
      { name: 'sallyport_export_failures_total', labels, values: [failures] },
    ]
  })
  if (!archive) return ofExports
  return [
    ...ofExports,
    gauge('sallyport_archive_size', {}, archive.size),
    gauge('sallyport_archive_lag_entries', {}, archive.lagEntries),
    gauge('sallyport_archive_lag_seconds', {}, archive.lagMs / 1000),
    gauge('sallyport_archive_conflict', {}, archive.conflict === undefined ? 0 : 1),
    { name: 'sallyport_archive_failures_total', labels: {}, values: [archive.failures] },
  ]
}
