import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { exitCodeOf, problemDocument, problems, type ProblemCode } from '@sallyport/contract'
import { ask } from '../../../../test/fixtures/ask-bridge.ts'
import { enrolledFolder, readAll, startPeer } from '../../../../test/fixtures/mtls-echo.ts'
import { defaultIdentityFolder } from './default-folder.ts'

const program = fileURLToPath(new URL('../../../../test/fixtures/agent-side-program.ts', import.meta.url))

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(directory: string, ...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...args], { env: { SALLYPORT_IDENTITY: directory }, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([readAll(child.stdout), readAll(child.stderr), once(child, 'close')])
  return { code, stdout, stderr }
}

test('whoami prints whom the gateway sees, for people and for programs', async (t) => {
  const directory = await enrolledFolder(t, await startPeer(t))
  const [text, json] = await Promise.all([run(directory, 'agent', 'whoami'), run(directory, 'agent', 'whoami', '--json')])
  assert.equal(text.code, 0)
  assert.match(text.stdout, /^spiffe:\/\/test\.example\/tenant\/acme\/agent\/invoice-bot\n/)
  assert.equal(JSON.parse(json.stdout).agent, 'invoice-bot')
})

test('without an identity every command says how to get one and ends with 78', async (t) => {
  const nowhere = mkdtempSync(join(tmpdir(), 'sallyport-none-'))
  t.after(() => rmSync(nowhere, { recursive: true }))
  const commands = [['agent', 'whoami'], ['agent', 'renew'], ['connect'], ['connect', '--stdio'], ['connect', '--print-secret']]
  const all = await Promise.all(commands.map((args) => run(nowhere, ...args)))
  for (const { code, stdout, stderr } of all) {
    assert.equal(code, 78)
    assert.equal(stdout, '')
    assert.match(stderr, /holds no identity.*sallyport agent enroll/)
  }
})

test('enrolling into a folder that is enrolled sends nothing and says what to do', async (t) => {
  const peer = await startPeer(t)
  const directory = await enrolledFolder(t, peer)
  const token = ['agent', 'enroll', '--token', 'x', '--gateway', `127.0.0.1:${peer.port}`]
  const { code, stderr } = await run(directory, ...token)
  assert.equal(code, 78)
  assert.match(stderr, /already holds the identity of spiffe:\/\/test\.example\/.*sallyport agent renew.*--out DIR.*--replace/)
  writeFileSync(join(directory, 'current', 'agent.json'), '{')
  assert.match((await run(directory, ...token)).stderr, /cannot be used .*--replace/)
  assert.equal(peer.connections(), 0)
  assert.match((await run(directory, ...token, '--replace')).stderr, /identity\.enrolment-refused/, 'now it is the token that is wrong')
})

test('a wrong address or name ends with 64, a refusal of the gateway with 3, one that is away with 1', async (t) => {
  const document = problemDocument({ code: 'identity.blocked' }, 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
  const peer = await startPeer(t, (_incoming, outgoing) => {
    outgoing.writeHead(403, { 'content-type': 'application/problem+json', 'sallyport-problem': document.code }).end(JSON.stringify(document))
    return true
  })
  const directory = await enrolledFolder(t, peer)
  const [listen, origin, name, blocked] = await Promise.all([
    run(directory, 'connect', '--listen', '0.0.0.0:8787'),
    run(directory, 'connect', '--allow-origin', 'http://localhost/'),
    run(directory, 'connect', '--stdio', '../x'),
    run(directory, 'agent', 'whoami', '--json'),
  ])
  assert.deepEqual([listen.code, origin.code, name.code, blocked.code], [64, 64, 64, 3])
  assert.match(listen.stderr, /no loopback address/)
  assert.equal(JSON.parse(blocked.stderr).error.code, 'identity.blocked')
  peer.server.close()
  peer.server.closeAllConnections()
  assert.equal((await run(directory, 'agent', 'whoami')).code, 1)
})

test('connect serves until it is asked to end, and prints no secret unless told', async (t) => {
  const peer = await startPeer(t)
  const directory = await enrolledFolder(t, peer)
  const child = spawn(process.execPath, [program, 'connect', '--listen', '127.0.0.1:0', '--json'], {
    env: { SALLYPORT_IDENTITY: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  const { port, secretFile } = JSON.parse(String(said))
  const secret = readFileSync(secretFile, 'utf8').trim()
  assert.ok(!String(said).includes(secret))
  assert.equal((await run(directory, 'connect', '--print-secret')).stdout, `${secret}\n`)
  assert.equal((await ask(port, { path: '/http/crm/x', headers: { 'x-sallyport-secret': secret } })).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('every refusal has an exit code', () => {
  const codes = Object.keys(problems).filter((code): code is ProblemCode => code in problems)
  assert.equal(exitCodeOf('policy.approval-required'), 2)
  for (const code of codes) assert.ok([1, 2, 3, 64, 78].includes(exitCodeOf(code)))
})

test('the identity is where the environment says, else in the home folder', () => {
  assert.equal(defaultIdentityFolder({ SALLYPORT_IDENTITY: '/x', HOME: '/home/a' }), '/x')
  assert.equal(defaultIdentityFolder({ SALLYPORT_IDENTITY: '', HOME: '/home/a' }), '/home/a/.sallyport/agent')
})
