import { fork } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ended, portOf, type Candidate, type Ground } from './candidate.ts'

/** What Node costs by itself: `node:https` with client certificates and undici, no check, no log. */
export async function startBareNode({ folder, upstreamPort, tls }: Ground): Promise<Candidate> {
  const terms = join(folder, 'bare-node.json')
  await writeFile(terms, JSON.stringify({ ...tls, upstreamPort }), { mode: 0o600 })
  const child = fork(join(import.meta.dirname, 'bare-node-program.ts'), [terms])
  const port = await portOf(child)
  return { name: 'bare Node proxy', origin: `https://127.0.0.1:${port}`, prefix: '', tls, processes: [child.pid ?? 0], stop: () => ended(child) }
}
