import { MessageChannel, Worker } from 'node:worker_threads'
import { callsOver, serveCalls, type Calls } from './calls.ts'
import type { FollowerApi, FollowerStart, NamedExportState } from './log-follower-api.ts'
import type { MainApi } from './plane-ports.ts'

/** For the thread to say how its exports do, and to end them when the gateway stops; what was not confirmed by then is sent again after the next start. */
const answerMs = 2_000
/** Before a thread that ended by itself is started again. */
const restartMs = 30_000

export interface LogFollowers {
  /** How each export does. @throws Fault when the thread does not answer */
  states(): Promise<readonly NamedExportState[]>
  close(): Promise<void>
}

/**
 * Follows the log on a thread of its own: what happens there, a receiver that hangs or a bug, holds up no request.
 *
 * With nothing to follow for, there is no thread.
 */
export function followLog(
  terms: Omit<FollowerStart, 'port' | 'main'>,
  report: (event: string, error: unknown) => void,
  observe: (name: string, worker: Worker) => void = () => undefined,
): LogFollowers {
  if (terms.exports.length === 0 && !terms.keepsIndex) return { states: async () => [], close: async () => undefined }
  let isClosing = false
  let restart: NodeJS.Timeout | undefined
  let running = start()

  function start(): { readonly worker: Worker; readonly calls: Calls<FollowerApi> } {
    const own = new MessageChannel()
    const main = new MessageChannel()
    serveCalls<Pick<MainApi, 'report'>>(main.port1, { report }, (error) => report('thread.failed', error))
    const worker = new Worker(new URL('log-follower-thread.ts', import.meta.url), {
      workerData: { ...terms, port: own.port2, main: main.port2 } satisfies FollowerStart,
      transferList: [own.port2, main.port2],
    })
    observe('log-follower', worker)
    worker.on('error', (error) => report('thread.ended', error))
    worker.once('exit', () => {
      if (!isClosing) restart = setTimeout(() => (running = start()), restartMs).unref()
    })
    return { worker, calls: callsOver<FollowerApi>(own.port1, ['states', 'close'], answerMs) }
  }

  return {
    states: () => running.calls.states(),
    close: async () => {
      isClosing = true
      clearTimeout(restart)
      await running.calls.close().catch(() => undefined) // it is ended next
      await running.worker.terminate()
    },
  }
}
