/** The composition root of the thread that follows the log: exports, the archive, and the index of search. It reads files like any reader, so nothing waits for it. */
import { setTimeout as wait } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import type { LogReader } from '@sallyport/contract/log'
import { archivePlace, cursorNameOf, type ArchiveSettings } from '../archive/archive-settings.ts'
import type { ArchiveStore } from '../archive/archive-store.ts'
import { openWhenRead } from '../archive/opened-archive.ts'
import { RunningArchive } from '../archive/run-archive.ts'
import { logKeyOf } from '../audit/log-key.ts'
import { viewPruned } from '../audit/pruned-view.ts'
import { updateIndex } from '../audit/update-index.ts'
import { dataFolder } from '../control/data-folder.ts'
import { prunedSizeIn } from '../control/pruned-log.ts'
import { cursorFile } from '../drivers/export/cursor-files.ts'
import { rotatingFile } from '../drivers/export/rotating-file.ts'
import { tlsReceiver } from '../drivers/export/tls-receiver.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { openS3ArchiveWithSecret } from '../drivers/s3/s3-archive.ts'
import { openLogIndex } from '../drivers/sqlite/log-index.ts'
import type { ExportSettings } from '../export/export-settings.ts'
import { formats } from '../export/formats.ts'
import { RunningExport } from '../export/run-export.ts'
import { callsOver, serveCalls } from './calls.ts'
import type { FollowerApi, FollowerHost, FollowerStart } from './log-follower-api.ts'

/** For the main thread to answer. */
const hostMs = 10_000
/** Between two looks at a log with nothing new. */
const indexEveryMs = 1_000
/** After an index could not be written. */
const indexPauseMs = 60_000

const start = workerData as FollowerStart // what `log-followers.ts` gave
const main = callsOver<FollowerHost>(start.main, ['report', 'note', 'revealShared', 'archiveChecked'], hostMs)
const report = (event: string, error: unknown): void => void main.report(event, error instanceof Error ? error.message : String(error)).catch(() => undefined)
const places = dataFolder(start.dataFolder)
const stopping = new AbortController()
const archive = start.archive && followArchive(start.archive)
const view = viewPruned(viewLogFolder(places.log), () => prunedSizeIn(start.dataFolder), archive?.reader)

const running = start.exports.map((settings) => ({
  settings,
  one: new RunningExport({
    view,
    destination: destinationOf(settings),
    cursors: cursorFile(places.exports, settings.name),
    format: formats[settings.format],
    exporter: start,
    now: Date.now,
    random: Math.random,
    report: (error) => report(`export.${settings.name}`, error),
  }),
}))
const work = [
  ...running.map(({ one }) => one.run(stopping.signal)),
  ...(start.keepsIndex ? [keepIndex(stopping.signal)] : []),
  ...(archive ? [archive.running.run(stopping.signal)] : []),
]

serveCalls<FollowerApi>(
  start.port,
  {
    states: async () => ({
      exports: running.map(({ settings, one }) => ({ name: settings.name, format: settings.format, to: placeOf(settings), ...one.state })),
      archive: start.archive && archive && { to: archivePlace(start.archive), ...(await archive.running.look()) },
    }),
    close: async () => {
      stopping.abort()
      await Promise.all(work)
    },
  },
  (error) => report('thread.failed', error),
)

function destinationOf({ to }: ExportSettings): ReturnType<typeof tlsReceiver> {
  return to.kind === 'file' ? rotatingFile(to, Date.now) : tlsReceiver(to)
}

function placeOf({ to }: ExportSettings): string {
  return to.kind === 'file' ? to.path : `tls://${to.host}:${to.port}`
}

function followArchive(settings: ArchiveSettings): { readonly running: RunningArchive; readonly reader: Pick<LogReader, 'tile'> } {
  const key = logKeyOf(start.logKey)
  let isTold = false
  const open = (): Promise<ArchiveStore> => openS3ArchiveWithSecret(settings, (name) => main.revealShared(name))
  const tell = (objection: string | undefined): void => {
    if (!isTold) void main.archiveChecked(objection).catch(() => undefined)
    isTold = true
  }
  const lazy = openWhenRead(open)
  const running = new RunningArchive({
    view: viewPruned(viewLogFolder(places.log), () => prunedSizeIn(start.dataFolder), lazy.reader),
    key,
    open,
    tell,
    cursors: cursorFile(places.archive, cursorNameOf(settings)),
    everyMs: settings.everyMs,
    retainMs: settings.retainMs,
    now: Date.now,
    random: Math.random,
    note: (act, subject) => main.note(act, subject),
    report: (error) => report('archive', error),
  })
  stopping.signal.addEventListener('abort', () => lazy.close())
  return { running, reader: lazy.reader }
}

async function keepIndex(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      using index = openLogIndex(places.logIndex)
      while (!signal.aborted) {
        await updateIndex(view, index, signal)
        await wait(indexEveryMs, undefined, { signal }).catch(() => undefined)
      }
    } catch (error) {
      report('log.index', error)
      await wait(indexPauseMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
