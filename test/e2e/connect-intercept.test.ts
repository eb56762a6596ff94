import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ProxyAgent, request } from 'undici'
import { readAll } from '../fixtures/mtls-echo.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

/** Real programs that call https:// through the bridge, which ends their TLS, and a whole gateway that judges each call. */

const program = fileURLToPath(new URL('../fixtures/agent-side-program.ts', import.meta.url))
const whole = await wholeGateway()
const identity = join(whole.folder, 'bot')
const certificate = join(identity, 'intercept.crt')
let proxy = ''
let end = async (): Promise<void> => undefined

async function run(...args: readonly string[]): Promise<{ readonly stdout: string; readonly code: number | null }> {
  const child = spawn(process.execPath, [program, ...args, '--identity', identity], { env: {}, stdio: ['ignore', 'pipe', 'inherit'] })
  const [stdout, [code]] = await Promise.all([readAll(child.stdout), once(child, 'close')])
  return { stdout, code }
}

async function decided(): Promise<readonly string[]> {
  return (await whole.events()).flatMap((event) => (event.type === 'decision' && event.upstream === 'api' ? [`${event.action} ${event.decision}`] : []))
}

before(async () => {
  await whole.configure([{ id: 'things', match: { agent: 'bot', upstream: 'api', action: 'get_thing' }, then: 'permit' }])
  await whole.start()
  await whole.enrolAgent()
  const made = JSON.parse((await run('connect', 'trust', '--json')).stdout)
  assert.deepEqual([made.made, made.hosts, made.certificate], [true, ['api.internal'], certificate])
  const child = spawn(process.execPath, [program, 'connect', '--listen', '127.0.0.1:0', '--json', '--identity', identity], {
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  end = async () => {
    child.kill('SIGTERM')
    await exited
  }
  const [said] = await once(child.stdout, 'data')
  const { port, secretFile, intercepts } = JSON.parse(String(said))
  assert.equal(intercepts, true)
  proxy = `http://sallyport:${(await readFile(secretFile, 'utf8')).trim()}@127.0.0.1:${port}`
})

after(async () => {
  await end()
  await whole[Symbol.asyncDispose]()
})

test('the key of the authority is for its owner alone, and a second "connect trust" keeps what is there', async () => {
  assert.equal((await stat(join(identity, 'intercept.key'))).mode & 0o777, 0o600)
  const before = await readFile(certificate, 'utf8')
  assert.equal(JSON.parse((await run('connect', 'trust', '--json')).stdout).made, false)
  assert.equal(await readFile(certificate, 'utf8'), before)
})

const programs: Readonly<Record<string, () => readonly [command: string, args: readonly string[], env: Record<string, string>]>> = {
  curl: () => [
    'curl',
    ['-sS', '-o', '/dev/null', '-w', '%{http_code} ', 'https://api.internal/things/7', 'https://api.internal/other'],
    { HTTPS_PROXY: proxy, CURL_CA_BUNDLE: certificate },
  ],
  'fetch of Node': () => [
    process.execPath,
    ['-e', '(async () => { for (const path of ["/things/7", "/other"]) process.stdout.write(`${(await fetch("https://api.internal" + path)).status} `) })()'],
    { HTTPS_PROXY: proxy, NODE_USE_ENV_PROXY: '1', NODE_EXTRA_CA_CERTS: certificate },
  ],
}
for (const [name, words] of Object.entries(programs)) {
  const missing = name === 'curl' && spawnSync('curl', ['--version']).error !== undefined
  test(`${name} reaches an API by https:// through the rules, each call judged`, { skip: missing && 'curl is not installed' }, async () => {
    const before = (await decided()).length
    const [command, args, env] = words()
    const child = spawn(command, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
    assert.match(await readAll(child.stdout), /^200 .*403 ?$/s)
    assert.deepEqual((await decided()).slice(before), ['get_thing permit', 'unlisted deny'])
  })
}

test('undici reaches it too, by one tunnel for many calls; a host that the gateway does not list is refused', async () => {
  const agent = new ProxyAgent({ uri: proxy, requestTls: { ca: await readFile(certificate, 'utf8') } })
  const seen = whole.seen.length
  for (const id of ['1', '2']) {
    const { statusCode, body } = await request(`https://api.internal/things/${id}`, { dispatcher: agent })
    await body.dump()
    assert.equal(statusCode, 200)
  }
  assert.deepEqual(
    whole.seen.slice(seen).map(({ url }) => url),
    ['/things/1', '/things/2'],
  )
  await assert.rejects(request('https://evil.example/', { dispatcher: agent }), /403/)
  await agent.close()
})

test('a program that was not told to trust the authority gets nothing', async () => {
  const agent = new ProxyAgent({ uri: proxy })
  await assert.rejects(request('https://api.internal/things/1', { dispatcher: agent }), { code: /UNABLE_TO_(?:VERIFY|GET_ISSUER)|SELF_SIGNED/ })
  await agent.close()
})
