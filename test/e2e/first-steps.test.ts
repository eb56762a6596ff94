// What a newcomer gets wrong, and what they are told.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { enroll } from '@sallyport/runtime'
import { operator } from '../fixtures/operator.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const permitThings = { id: 'things', match: { upstream: 'api' }, then: 'permit' }

async function running(listen?: string): Promise<WholeGateway> {
  const whole = await wholeGateway()
  await whole.configure([permitThings], [], listen)
  await whole.start()
  return whole
}

async function tokenFor(whole: WholeGateway): Promise<string> {
  const added: unknown = await whole.admin('agent.add', { tenant: 'acme', agent: 'bot', person: 'alice' })
  return String(typeof added === 'object' && added !== null && 'token' in added && added.token)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address ? address.port : 0
}

test('an agent of a gateway that listens on every address keeps the one by which it has reached it', async () => {
  const port = await freePort()
  await using whole = await running(`0.0.0.0:${port}`)
  const enrolled = await enroll({ address: whole.running.addresses.enrolment ?? '', token: await tokenFor(whole), directory: join(whole.folder, 'bot') })
  assert.equal(enrolled.kind, 'enrolled')
  assert.equal(JSON.parse(await readFile(join(whole.folder, 'bot', 'agent.json'), 'utf8')).gateway, `127.0.0.1:${port}`)
  assert.equal((await (await whole.agent('bot', `127.0.0.1:${port}`)).callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
})

test('a folder that cannot hold an identity is refused before the token is used up, and no place hangs the command', async () => {
  await using whole = await running()
  const token = await tokenFor(whole)
  const address = whole.running.addresses.enrolment ?? ''
  await writeFile(join(whole.folder, 'file'), '')
  for (const directory of [join(whole.folder, 'file', 'x'), '/proc/x', '/proc/self/x'])
    await assert.rejects(enroll({ address, token, directory }), /choose another place/)
  const gatewayAddress = whole.running.addresses.agents
  assert.equal((await enroll({ address, token, directory: join(whole.folder, 'bot'), gatewayAddress })).kind, 'enrolled')
})

test('enrolling at the agents’ address, or by a name that the gateway does not have, says what is wrong', async () => {
  await using whole = await running()
  const token = await tokenFor(whole)
  const directory = join(whole.folder, 'bot')
  await assert.rejects(enroll({ address: whole.running.addresses.agents, token, directory }), /use the gateway's enrolment address|another one/)
  const port = whole.running.addresses.enrolment?.split(':')[1] ?? ''
  await assert.rejects(enroll({ address: `127.0.0.2:${port}`, token, directory }), /cannot be reached|does not go by the name 127\.0\.0\.2/)
})

test('a reload of another file is refused, and of the same text says that nothing changed', async () => {
  await using whole = await running()
  const other = join(whole.folder, 'other.yaml')
  await writeFile(other, 'nonsense: [')
  const refused = await operator(whole, ['reload', '-c', other, '--data', whole.data])
  assert.deepEqual([refused.code, /This gateway runs on/.test(refused.stderr)], [1, true])
  assert.match((await operator(whole, ['reload'])).stdout, /^Nothing has changed/)
})

test('a slip of the pen shows: a block of nobody, an approval that is not there, a name that is none', async () => {
  await using whole = await running()
  assert.match((await operator(whole, ['block', 'acme/nobody'])).stdout, /nothing of this name is registered/)
  await whole.enrolAgent()
  assert.match((await operator(whole, ['block', 'acme/bot'])).stdout, /^blocked acme\/bot\n$/)
  assert.match((await operator(whole, ['approve', 'nope'])).stderr, /There is no approval nope/)
  const named = await operator(whole, ['agent', 'add', 'invoice-bot'])
  assert.deepEqual([named.code, /such as acme\/invoice-bot/.test(named.stderr)], [64, true])
  assert.match((await operator(whole, ['agent', 'add', 'acme/second'])).stdout, /sallyport agent enroll --token - --gateway 127\.0\.0\.1:\d+/)
})

test('another trust domain than the data folder’s is named as such, and no tampering is suspected', async () => {
  await using whole = await running()
  await whole.stop()
  const text = await readFile(whole.configurationFile, 'utf8')
  await writeFile(whole.configurationFile, text.replace('agents.example', 'other.example'))
  await assert.rejects(whole.start(), /trustDomain is other\.example, but the data folder was made for agents\.example/)
})

test('a folder without a log, and a gateway that does not run, are told apart from an empty answer', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  const missing = join(whole.folder, 'nowhere')
  for (const command of [
    ['log', 'tail'],
    ['log', 'verify'],
    ['log', 'search'],
    ['explain', '1'],
  ]) {
    const said = await operator(whole, [...command, '--data', missing])
    assert.deepEqual([said.code, said.stderr.includes(`there is no data folder ${missing}`)], [78, true], command.join(' '))
  }
  assert.match((await operator(whole, ['status', '--data', missing])).stderr, /no gateway runs on .*nowhere \(there is no .*admin\.sock\): start it/)
})

test('the bridge says at its start that an upstream does not speak MCP, or that there is none', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  const bridge = (name: string): ReturnType<typeof operator> => operator(whole, ['connect', '--identity', join(whole.folder, 'bot'), '--stdio', name])
  const http = await bridge('api')
  assert.deepEqual([http.code, /api is an HTTP upstream.*http:\/\/127\.0\.0\.1:8787\/http\/api\//.test(http.stderr)], [78, true])
  const unknown = await bridge('crm')
  assert.deepEqual([unknown.code, /offers this agent no MCP upstream crm; it offers none/.test(unknown.stderr)], [78, true])
})

test('an enrolment says whether agents can work, and a token goes from file to file without being shown', async () => {
  await using whole = await running()
  const { addresses } = whole.running
  const token = join(whole.folder, 'token')
  const added = await operator(whole, ['agent', 'add', 'acme/bot', '--token-file', token])
  assert.equal((await stat(token)).mode & 0o777, 0o600)
  assert.ok(!added.stdout.includes((await readFile(token, 'utf8')).trim()))
  assert.equal((await operator(whole, ['agent', 'add', 'acme/bot', '--token-file', token])).code, 78, 'nothing is overwritten')
  const enrol = async (agents: string, out: string): Promise<unknown> => {
    await rm(token, { force: true })
    await operator(whole, ['agent', 'add', 'acme/bot', '--token-file', token])
    const words = ['--gateway', addresses.enrolment ?? '', '--token-file', token, '--agents', agents, '--out', join(whole.folder, out)]
    const ran = await operator(whole, ['agent', 'enroll', ...words, '--json'])
    assert.equal(ran.code, 0, ran.stderr)
    if (out === 'far') assert.match(ran.stderr, /warning: enrolled, but agents cannot work yet: nothing listens at .*--agents HOST:PORT/)
    return JSON.parse(ran.stdout).reached
  }
  assert.deepEqual([await enrol(addresses.agents, 'near'), await enrol(`127.0.0.1:${await freePort()}`, 'far')], [true, false])
})

test('the operations address lists its pages, and each is there', async () => {
  await using whole = await running()
  const page = async (path: string): Promise<string> => {
    const answer = await fetch(`http://${whole.running.addresses.operations}${path}`)
    assert.equal(answer.status, 200, path)
    return answer.text()
  }
  const listed = (await page('/')).split('\n').flatMap((line) => line.match(/^\/\w+/) ?? [])
  assert.deepEqual(listed, ['/healthz', '/readyz', '/metrics'])
  for (const path of listed) await page(path)
})
