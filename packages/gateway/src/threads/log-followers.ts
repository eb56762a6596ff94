import { MessageChannel, Worker } from 'node:worker_threads'
import { callsOver, serveCalls, type Calls } from './calls.ts'
import type { FollowerApi, FollowerHost, FollowerStart, FollowerStates } from './log-follower-api.ts'

/** For the thread to say how its exports do, and to end them when the gateway stops; what was not confirmed by then is sent again after the next start. */
const answerMs = 2_000
/** For the archive to say whether it can keep anything safe; one that cannot be reached must not keep the gate shut. */
export const archiveCheckMs = 5_000
/** Before a thread that ended by itself is started again. */
const restartMs = 30_000

export interface LogFollowers {
  /** How each export and the archive do. @throws Fault when the thread does not answer */
  states(): Promise<FollowerStates>
  /** Why the archive of the configuration cannot keep anything safe; undefined when it can, or there is none, or it does not say in time. */
  archiveObjection(): Promise<string | undefined>
  close(): Promise<void>
}

/**
 * Follows the log on a thread of its own: what happens there, a receiver that hangs or a bug, holds up no request.
 *
 * With nothing to follow for, there is no thread.
 */
export function followLog(
  terms: Omit<FollowerStart, 'port' | 'main'>,
  host: Omit<FollowerHost, 'archiveChecked'>,
  observe: (name: string, worker: Worker) => void = () => undefined,
): LogFollowers {
  const { report } = host
  if (terms.exports.length === 0 && !terms.keepsIndex && !terms.archive)
    return { states: async () => ({ exports: [], archive: undefined }), archiveObjection: async () => undefined, close: async () => undefined }
  const { promise: checked, resolve: archiveChecked } = Promise.withResolvers<string | undefined>()
  let isClosing = false
  let restart: NodeJS.Timeout | undefined
  let running = start()

  function start(): { readonly worker: Worker; readonly calls: Calls<FollowerApi> } {
    const own = new MessageChannel()
    const main = new MessageChannel()
    serveCalls<FollowerHost>(main.port1, { ...host, archiveChecked }, (error) => report('thread.failed', String(error)))
    const worker = new Worker(new URL('log-follower-thread.ts', import.meta.url), {
      workerData: { ...terms, port: own.port2, main: main.port2 } satisfies FollowerStart,
      transferList: [own.port2, main.port2],
    })
    observe('log-follower', worker)
    worker.on('error', (error) => report('thread.ended', String(error)))
    worker.once('exit', () => {
      if (!isClosing) restart = setTimeout(() => (running = start()), restartMs).unref()
    })
    return { worker, calls: callsOver<FollowerApi>(own.port1, ['states', 'close'], answerMs) }
  }

  return {
    states: () => running.calls.states(),
    archiveObjection: async () => {
      if (!terms.archive) return undefined
      const { promise: late, resolve } = Promise.withResolvers<undefined>()
      const timer = setTimeout(resolve, archiveCheckMs, undefined)
      return Promise.race([checked, late]).finally(() => clearTimeout(timer))
    },
    close: async () => {
      isClosing = true
      clearTimeout(restart)
      await running.calls.close().catch(() => undefined) // it is ended next
      await running.worker.terminate()
    },
  }
}
