/** The composition root of the thread that follows the log: exports, and the index of search. It reads files like any reader, so nothing waits for it. */
import { setTimeout as wait } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { updateIndex } from '../audit/update-index.ts'
import { dataFolder } from '../control/data-folder.ts'
import { cursorFile } from '../drivers/export/cursor-files.ts'
import { rotatingFile } from '../drivers/export/rotating-file.ts'
import { tlsReceiver } from '../drivers/export/tls-receiver.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { openLogIndex } from '../drivers/sqlite/log-index.ts'
import type { ExportSettings } from '../export/export-settings.ts'
import { formats } from '../export/formats.ts'
import { RunningExport } from '../export/run-export.ts'
import { callsOver, serveCalls } from './calls.ts'
import type { FollowerApi, FollowerStart } from './log-follower-api.ts'
import type { MainApi } from './plane-ports.ts'

/** Between two looks at a log with nothing new. */
const indexEveryMs = 1_000
/** After an index could not be written. */
const indexPauseMs = 60_000

const start = workerData as FollowerStart // what `log-followers.ts` gave
const main = callsOver<Pick<MainApi, 'report'>>(start.main, ['report'])
const report = (event: string, error: unknown): void => void main.report(event, error instanceof Error ? error.message : String(error)).catch(() => undefined)
const places = dataFolder(start.dataFolder)
const view = viewLogFolder(places.log)
const stopping = new AbortController()

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
const work = [...running.map(({ one }) => one.run(stopping.signal)), ...(start.keepsIndex ? [keepIndex(stopping.signal)] : [])]

serveCalls<FollowerApi>(
  start.port,
  {
    states: () => running.map(({ settings, one }) => ({ name: settings.name, format: settings.format, to: placeOf(settings), ...one.state })),
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
