import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { ClientTls } from '../load/orders.ts'

/** One way to get from an agent to the upstream. */
export interface Candidate {
  readonly name: string
  readonly origin: string
  /** Stands in front of the upstream's paths. */
  readonly prefix: string
  readonly tls: ClientTls | undefined
  /** The processes whose work, with that of their children, is its cost. */
  readonly processes: readonly number[]
  stop(): Promise<void>
}

/** What every candidate is built on. */
export interface Ground {
  /** For files; removed at the end. */
  readonly folder: string
  readonly upstreamPort: number
  /** Of the one agent. Its certificate serves the other proxies for both ends: what is compared is work, not trust. */
  readonly tls: ClientTls
}

/** A port that was free a moment ago, for programs that cannot be asked which one they got. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new TypeError('a TCP listener has a port')
  return address.port
}

/** @throws Error when nothing listens after five seconds */
export async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)))
    socket.destroy()
    if (isOpen) return
    await wait(50)
  }
  throw new Error(`nothing listens on port ${port}`)
}

export async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM')) await gone
}

/** The port that a program of the benchmark tells once it listens. */
export async function portOf(child: ChildProcess): Promise<number> {
  const [port] = await once(child, 'message')
  return Number(port)
}
