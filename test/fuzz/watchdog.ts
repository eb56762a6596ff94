import { writeSync } from 'node:fs'
import { Worker, workerData } from 'node:worker_threads'
import { keepCase } from './cases.ts'

/** How long one input may go on for; many times what is slow. */
const hungMsDefault = 30_000

const head = { count: 0, length: 1 } as const
const headBytes = 8

/**
 * Watches from another thread that inputs come to an end. One that never does is kept as a case, and the process ends: nothing in its own thread could do
 * either.
 */
export class Watchdog implements AsyncDisposable {
  readonly #worker: Worker
  readonly #head: Int32Array
  readonly #input: Uint8Array

  constructor(target: string, bytesMax: number, hungMs = hungMsDefault) {
    const memory = new SharedArrayBuffer(headBytes + bytesMax)
    this.#head = new Int32Array(memory, 0, 2)
    this.#input = new Uint8Array(memory, headBytes)
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { target, memory, hungMs } satisfies Watched })
    this.#worker.unref()
  }

  begin(input: Uint8Array): void {
    this.#input.set(input)
    Atomics.store(this.#head, head.length, input.length)
    Atomics.add(this.#head, head.count, 1)
    Atomics.notify(this.#head, head.count)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}

interface Watched {
  readonly target: string
  readonly memory: SharedArrayBuffer
  readonly hungMs: number
}

function isWatched(data: unknown): data is Watched {
  return typeof data === 'object' && data !== null && 'memory' in data && 'target' in data
}

function watch({ target, memory, hungMs }: Watched): void {
  const state = new Int32Array(memory, 0, 2)
  for (;;) {
    const count = Atomics.load(state, head.count)
    if (Atomics.wait(state, head.count, count, hungMs) !== 'timed-out') continue
    const input = new Uint8Array(memory, headBytes).slice(0, Atomics.load(state, head.length))
    writeSync(2, `${target}: an input does not end: ${keepCase(target, input)}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}

if (isWatched(workerData)) watch(workerData)
