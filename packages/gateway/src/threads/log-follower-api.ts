import type { MessagePort } from 'node:worker_threads'
import type { ExportSettings } from '../export/export-settings.ts'
import type { ExportState } from '../export/run-export.ts'

/** What the thread that follows the log is started with. */
export interface FollowerStart {
  readonly dataFolder: string
  /** The origin of the log. */
  readonly log: string
  readonly host: string
  readonly version: string
  readonly exports: readonly ExportSettings[]
  readonly keepsIndex: boolean
  readonly port: MessagePort
  readonly main: MessagePort
}

export interface NamedExportState extends ExportState {
  readonly name: string
  readonly format: string
  /** As in the configuration. */
  readonly to: string
}

/** What it answers. */
export interface FollowerApi {
  readonly states: () => readonly NamedExportState[]
  /** Resolves when nothing is under way any more. */
  readonly close: () => Promise<void>
}
