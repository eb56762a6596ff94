import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBareNode } from './candidates/bare-node.ts'
import { ended, portOf, type Candidate, type Ground } from './candidates/candidate.ts'
import { startHaproxy } from './candidates/haproxy.ts'
import { startNginx, startNginxWithPolicy } from './candidates/nginx.ts'
import { startSallyport } from './candidates/sallyport.ts'
import { Load } from './load/load.ts'

/** Everything that runs beside the measurement: the upstream, the load generator, the candidates. */
export interface Scene extends AsyncDisposable {
  readonly load: Load
  readonly candidates: readonly Candidate[]
  /** The upstream without anything in front of it, and without TLS. */
  readonly direct: Candidate
}

export type Say = (line: string) => void

export async function openScene(say: Say): Promise<Scene> {
  const closing = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
    closing.defer(() => rm(folder, { recursive: true, force: true }))
    const upstream = fork(join(import.meta.dirname, 'upstream-program.ts'))
    closing.defer(() => ended(upstream))
    const upstreamPort = await portOf(upstream)
    const load = closing.use(new Load())

    const candidates: Candidate[] = []
    const add = (candidate: Candidate | undefined, name: string): void => {
      if (!candidate) return say(`${name} is not installed: going on without it`)
      closing.defer(() => candidate.stop())
      candidates.push(candidate)
    }
    say('starting the candidates')
    const one = await startSallyport(upstreamPort, 0)
    add(one.plain, 'sallyport')
    add(one.withCredential, 'sallyport')
    const ground: Ground = { folder, upstreamPort, tls: one.tls }
    for (const threads of [1, 2]) add((await startSallyport(upstreamPort, threads)).plain, 'sallyport')
    add(await startNginx(ground), 'nginx')
    add(await startHaproxy(ground), 'HAProxy')
    add(await startNginxWithPolicy(ground), 'nginx with auth_request')
    add(await startBareNode(ground), 'Node')
    const direct: Candidate = {
      name: 'direct',
      origin: `http://127.0.0.1:${upstreamPort}`,
      prefix: '',
      tls: undefined,
      processes: [upstream.pid ?? 0],
      stop: async () => undefined,
    }
    return { load, candidates, direct, [Symbol.asyncDispose]: () => closing.disposeAsync() }
  } catch (error) {
    await closing.disposeAsync()
    throw error
  }
}
