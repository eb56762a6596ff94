import type { DecisionEvent, LogEvent } from '@sallyport/contract'

/** An entry on its way out. */
export interface ExportedEntry {
  readonly index: number
  /** Its canonical JSON; what cannot be read as such is undefined here. */
  readonly text: string | undefined
  /** Undefined for an entry of a later version, or one that breaks the rules of the log: it is passed on by its text alone. */
  readonly event: LogEvent | undefined
  /** Of an outcome, the decision that it belongs to, where that can be read. */
  readonly decision: DecisionEvent | undefined
}

/** Who exports. */
export interface Exporter {
  /** The origin of the log, as in its checkpoints: with the index it names an entry among all logs. */
  readonly log: string
  /** The name of this host. */
  readonly host: string
  readonly version: string
}

/**
 * Gives an entry the form of its receiver: one line without its end.
 *
 * Whatever agents and upstreams have written into an entry, the line holds no control or format character, so that it can neither end early nor steer a terminal.
 */
export type Format = (entry: ExportedEntry, exporter: Exporter) => string
