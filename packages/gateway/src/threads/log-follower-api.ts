import type { MessagePort } from 'node:worker_threads'
import type { AdminEvent } from '@sallyport/contract'
import type { ArchiveSettings } from '../archive/archive-settings.ts'
import type { ArchiveState } from '../archive/run-archive.ts'
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
  readonly archive: ArchiveSettings | undefined
  /** The verifier key of the log. */
  readonly logKey: string
  readonly port: MessagePort
  readonly main: MessagePort
}

export interface FollowerStates {
  readonly exports: readonly NamedExportState[]
  /** Absent where no archive is configured. */
  readonly archive: NamedArchiveState | undefined
}

export interface NamedArchiveState extends ArchiveState {
  /** As s3://BUCKET/PREFIX. */
  readonly to: string
}

export interface NamedExportState extends ExportState {
  readonly name: string
  readonly format: string
  /** As in the configuration. */
  readonly to: string
}

/** What it asks of the main thread. */
export interface FollowerHost {
  readonly report: (event: string, message: string) => void
  /** Writes an act of the gateway's own to the log. @throws Fault */
  readonly note: (act: string, subject: AdminEvent['subject']) => Promise<number>
  /** A secret that all tenants share. @throws Fault */
  readonly revealShared: (name: string) => Promise<string | undefined>
  /** The archive was asked for the first time: why it cannot keep anything safe, if it says so. */
  readonly archiveChecked: (objection: string | undefined) => void
}

/** What it answers. */
export interface FollowerApi {
  readonly states: () => Promise<FollowerStates>
  /** Resolves when nothing is under way any more. */
  readonly close: () => Promise<void>
}
