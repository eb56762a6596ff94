import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

const root = join(import.meta.dirname, '../..')

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      const address = server.address()
      return typeof address === 'object' && address ? address.port : 0
    }),
  )
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

test('the quick start of the README does what it says, word by word', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-quick-start-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const section = readme.slice(readme.indexOf('## Quick start'), readme.indexOf('## Promises'))
  const commands = [...section.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block).join('')
  // Other ports, so that it can run beside anything; and the waits that a person makes by reading.
  const [api, agents, enrolment, bridge] = await freePorts(4)
  const script = commands
    .replaceAll('8080', String(api))
    .replaceAll('8444', String(enrolment))
    .replaceAll('8787', String(bridge))
    .replace('version: 1\n', `version: 1\nlisten: 127.0.0.1:${agents}\nenrolment: 127.0.0.1:${enrolment}\noperations: 'off'\n`)
    .replace('sallyport up &', 'sallyport up > up.txt & until grep -q "log key" up.txt; do sleep 0.1; done')
    .replace('--identity ../first &', `--identity ../first --listen 127.0.0.1:${bridge} > connect.txt & until grep -q Bridge connect.txt; do sleep 0.1; done`)
  await mkdir(join(folder, 'bin'))
  await symlink(join(root, 'bin/sallyport.mjs'), join(folder, 'bin/sallyport'))
  const child = spawn('bash', ['-euc', script], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, HOME: folder },
    detached: true, // a group of its own, so that what it leaves running ends with the test
  })
  const late = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 60_000)
  let said = ''
  let complained = ''
  child.stdout.on('data', (text: Buffer) => (said += text.toString()))
  child.stderr.on('data', (text: Buffer) => (complained += text.toString()))
  const code = await new Promise((done) => child.once('exit', done))
  clearTimeout(late)
  process.kill(-(child.pid ?? 0), 'SIGTERM')
  await once(child, 'close')
  assert.equal(code, 0, complained)
  assert.match(said, /hello \/greetings\/ada/)
  assert.match(said, /policy\.no-rule/)
  assert.match(said, /verified: \d+ entries/)
})
