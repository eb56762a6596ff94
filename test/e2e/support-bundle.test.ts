import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { operator, type Ran } from '../fixtures/operator.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

/** Each is planted in one place and must be found in none of the bundle. */
const planted = {
  stored: 'planted-stored-credential',
  urlUser: 'planted-url-user',
  urlPassword: 'planted-url-password',
  urlPath: 'planted-url-path',
  urlQuery: 'planted-url-query',
  format: 'planted-credential-format',
  when: 'planted-in-a-condition',
  operationPath: 'planted-operation-path',
  env: 'planted-env-value',
  argument: 'planted-program-argument',
  resource: 'planted-in-a-path-of-a-call',
  query: 'planted-in-a-query',
  note: 'planted-note-of-a-person',
  fileName: 'planted-file-name',
} as const

async function running(): Promise<WholeGateway> {
  const whole = await wholeGateway()
  await whole.configure(
    [
      { id: 'things', match: { upstream: 'api', agent: 'bot' }, when: `action != "${planted.when}"`, then: 'permit' },
      { id: 'ask', match: { upstream: 'api', action: 'ask_thing' }, then: 'hold' },
    ],
    [],
    '127.0.0.1:0',
    {
      api: {
        protocol: 'http',
        url: `http://127.0.0.1:${whole.apiPort}/${planted.urlPath}`,
        addresses: { allow: ['127.0.0.1/32'] },
        credential: { secret: 'api-key', format: `${planted.format} {secret}` },
        operations: [
          { name: 'get_thing', method: 'GET', path: '/things/{id}' },
          { name: 'ask_thing', method: 'GET', path: `/${planted.operationPath}/{id}` },
        ],
      },
      files: {
        protocol: 'mcp',
        command: [process.execPath, '-e', `/* ${planted.argument} */`, planted.argument],
        env: { API_TOKEN: planted.env, OTHER: 'planted-other-env' },
        sandbox: 'none',
      },
    },
  )
  await whole.start()
  await operator(whole, ['secret', 'set', 'api-key'], { input: planted.stored })
  await whole.enrolAgent()
  const agent = await whole.agent()
  await agent.callHttp('api', { method: 'GET', path: `/things/${planted.resource}?token=${planted.query}` })
  await agent.callHttp('api', { method: 'GET', path: `/${planted.operationPath}/1` })
  await agent.callHttp('files', { method: 'GET', path: `/${planted.resource}` })
  const { approvals } = JSON.parse((await operator(whole, ['approvals', '--json'])).stdout)
  if (approvals[0]) await operator(whole, ['deny', approvals[0].id, '--note', planted.note])
  await writeFile(join(whole.data, `${planted.fileName}.pem`), 'planted-content-of-a-file', { mode: 0o600 })
  return whole
}

async function bundleOf(whole: WholeGateway, more: readonly string[] = []): Promise<{ readonly ran: Ran; readonly text: string }> {
  const file = join(whole.folder, `bundle-${more.length}-${(await readdir(whole.folder)).length}.json`)
  const ran = await operator(whole, ['support-bundle', file, ...more])
  assert.equal(ran.code, 0, ran.stderr)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  return { ran, text: await readFile(file, 'utf8') }
}

async function assertHoldsNoSecret(whole: WholeGateway, text: string): Promise<void> {
  assert.doesNotMatch(text, /planted/)
  const { data } = whole
  for (const name of ['sealing.key', 'log.key']) {
    const bytes = await readFile(join(data, name))
    for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const) assert.ok(!text.includes(bytes.toString(form)), `${name} as ${form}`)
  }
  assert.doesNotMatch(text, /PRIVATE KEY|BEGIN /)
}

test('a bundle says what runs and how, and nothing that was planted where secrets end up', async () => {
  await using whole = await running()
  const { text } = await bundleOf(whole)
  await assertHoldsNoSecret(whole, text)
  const bundle = JSON.parse(text)
  assert.equal(bundle.status.ready, true)
  assert.deepEqual(Object.keys(bundle.configuration.upstreams.files.env), ['API_TOKEN', 'OTHER'])
  assert.equal(bundle.configuration.upstreams.api.url, `http://127.0.0.1:${whole.apiPort}`)
  assert.equal(bundle.configuration.rules[0].id, 'things')
  assert.ok(bundle.log.some((entry: { type: string; rules?: string[] }) => entry.type === 'decision' && entry.rules?.includes('things')))
  assert.ok(bundle.metrics.some((line: string) => line.startsWith('sallyport_requests_total')))
  assert.ok(bundle.doctor.some(({ check, state }: { check: string; state: string }) => check === 'log' && state === 'ok'))
  assert.ok(bundle.files.files.some(({ name, mode }: { name: string; mode: string }) => name === 'sealing.key' && mode === '600'))
  assert.ok(text.includes('"bot"'))
})

test('under pseudonyms no agent, tenant or person is named, and one name is one pseudonym in one bundle alone', async () => {
  await using whole = await running()
  await operator(whole, ['block', 'acme/bot'])
  const { text } = await bundleOf(whole, ['--anonymous'])
  await assertHoldsNoSecret(whole, text)
  assert.doesNotMatch(text, /"(?:bot|acme|alice)"/)
  const { status, configuration } = JSON.parse(text)
  assert.equal(status.blocks[0].agent, configuration.rules[0].match.agent)
  const other = JSON.parse((await bundleOf(whole, ['--anonymous'])).text)
  assert.notEqual(other.status.blocks[0].agent, status.blocks[0].agent)
})

test('a configuration that is not valid, with a gateway that is down, is not quoted', async () => {
  await using whole = await running()
  await whole.stop()
  await writeFile(whole.configurationFile, `version: 1\ntrustDomain: agents.example\nplanted-field: planted-value\nupstreams: { api: { env: planted } }\n`)
  const { text } = await bundleOf(whole)
  await assertHoldsNoSecret(whole, text)
  const bundle = JSON.parse(text)
  assert.equal(bundle.configuration.faults[0].line, 3)
  assert.match(bundle.status, /no gateway answers/)
})
