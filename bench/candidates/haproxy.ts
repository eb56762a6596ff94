import { spawn, spawnSync } from 'node:child_process'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ended, freePort, listening, type Candidate, type Ground } from './candidate.ts'

/** Mutual TLS, connections kept on both sides, an access log in a file. Undefined where HAProxy is not installed. */
export async function startHaproxy({ folder, upstreamPort, tls }: Ground): Promise<Candidate | undefined> {
  if (spawnSync('haproxy', ['-v']).status !== 0) return undefined
  const port = await freePort()
  const file = (ending: string): string => join(folder, `haproxy.${ending}`)
  await writeFile(file('pem'), `${tls.cert}\n${tls.key}`, { mode: 0o600 })
  await writeFile(file('roots'), tls.ca)
  await writeFile(
    file('conf'),
    `global
  nbthread 1
  maxconn 4096
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
frontend agents
  bind 127.0.0.1:${port} ssl crt ${file('pem')} ca-file ${file('roots')} verify required ssl-min-ver TLSv1.3
  default_backend api
backend api
  http-reuse always
  server api 127.0.0.1:${upstreamPort}
`,
  )
  const log = await open(file('log'), 'w')
  const child = spawn('haproxy', ['-db', '-f', file('conf')], { stdio: ['ignore', log.fd, 'ignore'] })
  await log.close()
  await listening(port)
  return { name: 'HAProxy', origin: `https://127.0.0.1:${port}`, prefix: '', tls, processes: [child.pid ?? 0], stop: () => ended(child) }
}
