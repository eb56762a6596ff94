import assert from 'node:assert/strict'
import { chmod, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { enroll, renew } from '@sallyport/runtime'
import { operator } from '../fixtures/operator.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const permitThings = { id: 'things', match: { upstream: 'api', action: 'get_thing' }, then: 'permit' }
const holdThings = { ...permitThings, then: 'hold' }

async function running(rules: readonly object[] = [permitThings]): Promise<WholeGateway> {
  const whole = await wholeGateway()
  await whole.configure(rules)
  await whole.start()
  return whole
}

async function callThing(whole: WholeGateway): Promise<string> {
  const answer = await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1' })
  return answer.kind === 'refused' ? answer.problem.code : String(answer.status)
}

/** Over the agent's own folder, as `agent renew` does. */
async function renewed(whole: WholeGateway): Promise<string> {
  return (await renew({ directory: join(whole.folder, 'bot'), gatewayAddress: whole.running.addresses.agents })).kind
}

test('the root is rotated and retired by command while an agent works, renews and goes on', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  assert.equal(await callThing(whole), '200')
  const before = JSON.parse((await operator(whole, ['ca', 'list', '--json'])).stdout)
  assert.match((await operator(whole, ['ca', 'rotate'])).stdout, /^rotated/)
  assert.equal(await callThing(whole), '200')
  const early = await operator(whole, ['ca', 'retire', '--', before.roots[0].fingerprint])
  assert.deepEqual([early.code, /control\.conflict/.test(early.stderr)], [1, true])

  assert.equal(await renewed(whole), 'renewed')
  const shown = JSON.parse((await operator(whole, ['agent', 'show', 'acme/bot', '--json'])).stdout)
  assert.equal(shown.certificates.length, 2)
  assert.equal(shown.certificates[0].previous, shown.certificates[1].thumbprint)
  assert.match((await operator(whole, ['agent', 'revoke', 'acme/bot', '--certificate', shown.certificates[1].thumbprint])).stdout, /^revoked/)
  assert.match((await operator(whole, ['ca', 'retire', '--', before.roots[0].fingerprint])).stdout, /^retired/)
  assert.equal(await callThing(whole), '200')
  assert.equal(await renewed(whole), 'renewed')
})

test('one certificate is revoked by command, and the agent goes on with another', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  const old = await readFile(join(whole.folder, 'bot', 'current', 'agent.crt'))
  assert.equal(await renewed(whole), 'renewed')
  const { certificates } = JSON.parse((await operator(whole, ['agent', 'show', 'acme/bot', '--json'])).stdout)
  const [newest, first] = certificates
  assert.ok(old.length > 0 && newest.revokedAtMs === undefined)
  await operator(whole, ['agent', 'revoke', 'acme/bot', '--certificate', first.thumbprint])
  assert.equal(await callThing(whole), '200')
  await operator(whole, ['agent', 'revoke', 'acme/bot', '--certificate', newest.thumbprint])
  assert.equal(await callThing(whole), 'identity.unauthenticated')
  const unknown = await operator(whole, ['agent', 'revoke', 'acme/bot', '--certificate', 'x'.repeat(43)])
  assert.match(unknown.stderr, /has no certificate .*control\.not-found/)
})

test('the authority is recovered by command with the gateway up, and with the gateway down and its key gone; the log has both', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  assert.match((await operator(whole, ['ca', 'recover'])).stdout, /^recovered/)
  await assert.rejects(callThing(whole))
  await whole.enrolAgent('second')
  await whole.stop()

  await rm(join(whole.data, 'ca'), { recursive: true })
  const offline = await operator(whole, ['ca', 'recover', '--as', 'bob'])
  assert.deepEqual([offline.code, offline.stderr], [0, ''])
  await whole.start()
  await assert.rejects(async () => (await whole.agent('second')).callHttp('api', { method: 'GET', path: '/things/1' }))
  await whole.enrolAgent()
  assert.equal(await callThing(whole), '200')
  await whole.stop()
  const people = (await whole.events()).flatMap((event) => (event.type === 'admin' && event.act === 'authority.recovered' ? [event.person] : []))
  assert.deepEqual(people, ['alice', 'bob'])
})

test('while a gateway holds the folder and does not answer, a recovery beside it is refused', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  await rm(join(whole.data, 'admin.sock'))
  const beside = await operator(whole, ['ca', 'recover'])
  assert.equal(beside.code, 1)
  assert.match(beside.stderr, /in use by another gateway/)
  assert.equal(await callThing(whole), '200')
})

test('the log states what was done to secrets and blocks, and nothing that was refused', async () => {
  await using whole = await running()
  const input = 'a-credential-of-the-api'
  for (const [args, code] of [
    [['secret', 'rotate', 'crm'], 1],
    [['secret', 'remove', 'crm'], 1],
    [['secret', 'set', 'crm'], 0],
    [['secret', 'set', 'crm'], 1],
    [['secret', 'set', 'crm', '--tenant', 'acme'], 0],
    [['secret', 'rotate', 'crm'], 0],
    [['unblock', 'acme'], 1],
    [['block', 'acme'], 0],
    [['unblock', 'acme'], 0],
    [['unblock', 'acme'], 1],
    [['secret', 'remove', 'crm'], 0],
    [['secret', 'remove', 'crm'], 1],
  ] as const) {
    assert.equal((await operator(whole, args, { input })).code, code, args.join(' '))
  }
  assert.match((await operator(whole, ['secret', 'set', 'short'], { input: 'x' })).stderr, /shorter than 8 characters.*control\.invalid-input/)
  await whole.stop()
  const acts = (await whole.events()).flatMap((event) => (event.type === 'admin' ? [event.act] : []))
  assert.deepEqual(acts, ['secret.set', 'secret.set', 'secret.rotated', 'block.set', 'block.lifted', 'secret.removed'])
})

test('blocks are in the status', async () => {
  await using whole = await running()
  await operator(whole, ['block', 'acme/bot'])
  const { blocks } = JSON.parse((await operator(whole, ['status', '--json'])).stdout)
  assert.deepEqual(blocks, [{ scope: 'agent', tenant: 'acme', agent: 'bot' }])
})

test('a reload of a configuration whose program is not there is refused with its place, and what runs stays', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  const good = await readFile(whole.configurationFile, 'utf8')
  await writeFile(whole.configurationFile, good.replace('"upstreams":{', '"upstreams":{"files":{"protocol":"mcp","command":["no-such-program"]},'))
  const reloaded = await operator(whole, ['reload'])
  assert.equal(reloaded.code, 78)
  assert.match(reloaded.stderr, /sallyport\.yaml:1:\d+: there is no program no-such-program[^]*control\.configuration-invalid/)
  assert.equal((await operator(whole, ['validate'])).code, 78)
  assert.equal(await callThing(whole), '200')
  assert.deepEqual(whole.faults, [])
})

test('numbers that are none are refused before anything is read', async () => {
  await using whole = await running()
  for (const args of [
    ['log', 'search', '--limit', 'abc'],
    ['log', 'search', '--limit', '0'],
    ['log', 'search', '--limit', '-1'],
    ['log', 'tail', '-n', '1e9'],
    ['log', 'tail', '-n', '100001'],
    ['log', 'show', 'first'],
    ['log', 'prove', '1.5'],
  ]) {
    assert.equal((await operator(whole, args)).code, 64, args.join(' '))
  }
  assert.equal((await operator(whole, ['log', 'tail', '-n', '0'])).stdout, '')
  assert.match((await operator(whole, ['log', 'tail', '-n', '1', '--json'])).stdout, /^\{"index":0,/)
  assert.match((await operator(whole, ['log', 'show', '0'])).stdout, /"started"/)
})

test('what an agent wrote reaches a person’s screen escaped and, when long, cut with its length and digest', async () => {
  await using whole = await running([holdThings])
  await whole.enrolAgent()
  const hostile = `\u009b2J\u202e${'pay '.repeat(200)}`
  const held = await (await whole.agent()).callHttp('api', { method: 'GET', path: `/things/1?note=${encodeURIComponent(hostile)}` })
  assert.ok(held.kind === 'refused' && held.problem.approval)
  const { id } = held.problem.approval
  for (const args of [['approvals'], ['explain', id], ['log', 'tail'], ['log', 'search']]) {
    const { stdout } = await operator(whole, args, { isTTY: true })
    assert.ok(stdout.includes(id))
    assert.doesNotMatch(stdout, /[\u0080-\u009f\p{Cf}]/u)
  }
  const short = (await operator(whole, ['approvals'], { isTTY: true })).stdout
  assert.match(short, /\\u009b2J\\u202epay pay .*… \(804 characters in all, SHA-256 [0-9a-f]{64}; --full shows them\)/)
  const full = await operator(whole, ['approvals', '--full'], { isTTY: true })
  assert.ok(full.stdout.includes('pay '.repeat(200)))
  assert.equal((await operator(whole, ['approvals'])).stdout, full.stdout)
  assert.equal(JSON.parse((await operator(whole, ['approvals', '--json'], { isTTY: true })).stdout).approvals[0].call.args.query.note, hostile)
})

test('doctor finds nothing wrong with a sound gateway, and each thing that is', async () => {
  await using whole = await running()
  await operator(whole, ['secret', 'set', 'crm'], { input: 'a-credential-of-the-api' })
  const findings = async (): Promise<Record<string, string>> => {
    const { code, stdout } = await operator(whole, ['doctor', '--json'])
    const found: { readonly findings: readonly { readonly check: string; readonly state: string; readonly advice?: string }[] } = JSON.parse(stdout)
    const wrong = found.findings.flatMap(({ check, state, advice }) => (state === 'ok' ? [] : [[check, `${state}: ${advice}`] as const]))
    assert.equal(code, wrong.some(([, text]) => text.startsWith('fail')) ? 1 : 0)
    return Object.fromEntries(wrong)
  }
  const { disk: _, node: __, ...healthy } = await findings()
  assert.deepEqual(healthy, {})

  await whole.configure([])
  assert.match((await findings())['gateway'] ?? '', /^warn: .*sallyport reload/)
  await whole.stop()
  assert.match((await findings())['gateway'] ?? '', /^warn: no gateway runs on/)

  await chmod(join(whole.data, 'sealing.key'), 0o640)
  await symlink('/etc/passwd', join(whole.data, 'log', 'linked'))
  const shared = await findings()
  assert.match(shared['data folder'] ?? '', /^fail: others can reach .*(sealing\.key|linked).*(sealing\.key|linked)/)
  assert.match(shared['database'] ?? '', /^fail: .*sealing\.key is open to others/)
  await rm(join(whole.data, 'log', 'linked'))

  await writeFile(join(whole.data, 'sealing.key'), Buffer.alloc(32, 7), { mode: 0o600 })
  await chmod(join(whole.data, 'sealing.key'), 0o600)
  assert.match((await findings())['database'] ?? '', /^fail: secret crm does not open/)

  await writeFile(join(whole.data, 'state.db'), 'no database')
  await rm(join(whole.data, 'ca', 'trust.json'))
  await rm(join(whole.data, 'log', 'checkpoint'))
  await writeFile(whole.configurationFile, 'version: 2\n')
  const broken = await findings()
  assert.match(broken['database'] ?? '', /^fail: .*not a database/)
  assert.match(broken['authority'] ?? '', /^fail: .*trust\.json cannot be read/)
  assert.match(broken['configuration'] ?? '', /^fail: sallyport\.yaml:1:1: /)
  assert.match(broken['log'] ?? '', /^warn: it is not verified/)
  await whole.configure([])
  assert.match((await findings())['log'] ?? '', /^fail: .*checkpoint/)
})

test('why an enrolment was refused reaches the operator by its instance, the first few singly, and the caller not at all', async () => {
  await using whole = await running()
  const added = await whole.admin('agent.add', { tenant: 'acme', agent: 'bot', person: 'alice' })
  assert.ok(typeof added === 'object' && added !== null && 'token' in added)
  const enrolment = { address: whole.running.addresses.enrolment ?? '', token: String(added.token), directory: join(whole.folder, 'bot') }
  assert.equal((await enroll({ ...enrolment, gatewayAddress: whole.running.addresses.agents })).kind, 'enrolled')
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const again = await enroll(enrolment)
    assert.ok(again.kind === 'refused' && again.problem.code === 'identity.enrolment-refused' && again.problem.detail === undefined)
  }
  await whole.stop()
  const reasons = whole.told.map(({ facts }) => facts['reason'])
  assert.deepEqual(new Set(reasons), new Set(['unknown, used or expired token']))
  assert.equal(whole.told.filter(({ facts }) => /^[0-9a-f-]{36}$/.test(String(facts['instance']))).length, 5)
  assert.deepEqual(whole.told.at(-1), { event: 'enrolment.refused', facts: { reason: 'unknown, used or expired token', count: 3 } })
  assert.ok((await whole.events()).every((event) => event.type !== 'refusal'))
  assert.deepEqual(whole.faults, [])
})

test('a reload names the fields that only a restart takes over, and no other', async () => {
  await using whole = await running()
  const text = await readFile(whole.configurationFile, 'utf8')
  const reload = async (more: object): Promise<unknown> => {
    await writeFile(whole.configurationFile, JSON.stringify({ ...JSON.parse(text), ...more }))
    return JSON.parse((await operator(whole, ['reload', '--json'])).stdout).needRestart
  }
  assert.deepEqual(await reload({ limits: { judgedBodyBytes: '2MiB' } }), [])
  const late = { limits: { judgedBodyBytes: '2MiB', headBytes: '16KiB' }, names: ['gateway.example'] }
  for (const _ of ['activated', 'unchanged']) assert.deepEqual(await reload(late), ['names', 'limits'])
  assert.deepEqual(JSON.parse((await operator(whole, ['status', '--json'])).stdout).needRestart, ['names', 'limits'], 'until it is restarted')
  assert.match((await operator(whole, ['doctor', '--json'])).stdout, /only a restart takes over: names, limits/)
})
