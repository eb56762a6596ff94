interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

/** Every metric that there is, by its name at the address for operations. None has a label whose value an agent chooses. */
export const metricDefinitions = {
  sallyport_requests_total: { kind: 'counter', help: 'Requests by their end: answered, or the code of a problem', labels: ['code', 'upstream'] },
  sallyport_connections_refused_total: { kind: 'counter', help: 'Connections that never made a request', labels: ['reason'] },
  sallyport_request_duration_seconds: {
    kind: 'histogram',
    help: 'From the head of a request to the end of its answer',
    labels: ['code', 'upstream'],
  },
  sallyport_decision_duration_seconds: {
    kind: 'histogram',
    help: 'From the question to the ledger to its answer, with the entry durable: permitted, or the code of a problem',
    labels: ['code', 'upstream'],
  },
  sallyport_upstream_duration_seconds: {
    kind: 'histogram',
    help: 'From the permit to the end of the exchange with the upstream: answered, or why not',
    labels: ['code', 'upstream'],
  },
  sallyport_telemetry_exports_total: { kind: 'counter', help: 'Batches that were sent to the receiver of telemetry', labels: ['signal', 'result'] },
  sallyport_telemetry_spans_dropped_total: { kind: 'counter', help: 'Spans that found no room while the receiver was slow or away', labels: [] },
  sallyport_log_reads_total: { kind: 'counter', help: 'Requests at the address where the log can be read', labels: ['status'] },
  sallyport_log_size: { kind: 'gauge', help: 'Entries in the log', labels: [] },
  sallyport_log_cosigned_size: { kind: 'gauge', help: 'Entries that a quorum of witnesses has cosigned', labels: [] },
  sallyport_log_witness_size: { kind: 'gauge', help: 'Entries that the witness is known to have cosigned', labels: ['witness'] },
  sallyport_log_witness_cosigns: { kind: 'gauge', help: '1 if the witness cosigned the checkpoint that it was shown last', labels: ['witness'] },
  sallyport_log_witness_conflict: { kind: 'gauge', help: '1 if the witness has seen another log under the key of this one: an alarm', labels: ['witness'] },
  sallyport_refreshes_total: { kind: 'counter', help: 'Refreshes of sessions by their end: answered, or the code of a problem', labels: ['result'] },
  sallyport_provider_refresh_duration_seconds: {
    kind: 'histogram',
    help: 'What an identity provider took for a refresh, and how it ended',
    labels: ['provider', 'result'],
  },
  sallyport_signals_total: { kind: 'counter', help: 'Oddities in the traffic of refreshes', labels: ['kind', 'result'] },
  sallyport_alerts_total: { kind: 'counter', help: 'What became of messages to the receiver of alerts', labels: ['result'] },
  sallyport_export_entries: { kind: 'gauge', help: 'Entries of the log that have arrived where an export sends them', labels: ['export'] },
  sallyport_export_lag_entries: { kind: 'gauge', help: 'Entries that a checkpoint covers and that are not known to have arrived', labels: ['export'] },
  sallyport_export_lag_seconds: { kind: 'gauge', help: 'For how long there have been such entries', labels: ['export'] },
  sallyport_export_failures_total: { kind: 'counter', help: 'Attempts of an export that failed', labels: ['export'] },
  sallyport_archive_size: { kind: 'gauge', help: 'Entries of the log that are known to be in the archive', labels: [] },
  sallyport_archive_lag_entries: { kind: 'gauge', help: 'Entries that a checkpoint covers and that are not known to be in the archive', labels: [] },
  sallyport_archive_lag_seconds: { kind: 'gauge', help: 'For how long there have been such entries', labels: [] },
  sallyport_archive_conflict: { kind: 'gauge', help: '1 if another object stands in the archive where one of the log belongs: an alarm', labels: [] },
  sallyport_archive_failures_total: { kind: 'counter', help: 'Attempts to keep the log in the archive that failed', labels: [] },
} as const satisfies Readonly<Record<`sallyport_${string}`, MetricDefinition>>

export type MetricName = keyof typeof metricDefinitions
type OfKind<Kind extends MetricDefinition['kind']> = { [Name in MetricName]: (typeof metricDefinitions)[Name]['kind'] extends Kind ? Name : never }[MetricName]
export type CounterName = OfKind<'counter'>
export type GaugeName = OfKind<'gauge'>
export type HistogramName = OfKind<'histogram'>
export type Labels<Name extends MetricName> = Readonly<Record<(typeof metricDefinitions)[Name]['labels'][number], string>>

/** Upper ends of the buckets of durations, in seconds. From what one decision takes to what one waits for a model. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const
