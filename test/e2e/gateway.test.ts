import assert from 'node:assert/strict'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const permitThings = { id: 'things', match: { agent: 'bot', upstream: 'api', action: 'get_thing' }, then: 'permit' }

test('a permitted call is decided, written, forwarded and its outcome written [T2] [T5] [L4]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  const { logKey } = await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const answer = await agent.callHttp('api', { method: 'GET', path: '/things/7' })
  assert.ok(answer.kind === 'answer' && answer.status === 200)
  for await (const piece of answer.body) void piece
  assert.deepEqual(whole.seen, [{ url: '/things/7', authorization: undefined }])
  await whole.stop()
  const events = await whole.events()
  const decision = events.findIndex((event) => event.type === 'decision' && event.action === 'get_thing')
  const decided = events[decision]
  assert.ok(decided?.type === 'decision' && decided.decision === 'permit')
  assert.deepEqual(decided.rules, ['things'])
  assert.ok(events.some((event) => event.type === 'outcome' && event.decision === decision && event.result === 'answered' && event.status === 200))
  await whole.assertLogVerifies(logKey)
  assert.deepEqual(whole.faults, [])
})

test('a call without a rule reaches nothing and is in the log all the same [T5] [L1]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  for (const path of ['/others/7', '/things/7/parts']) {
    const answer = await agent.callHttp('api', { method: 'GET', path })
    assert.ok(answer.kind === 'refused' && answer.problem.code === 'policy.no-rule')
  }
  const unknown = await agent.callHttp('nowhere', { method: 'GET', path: '/' })
  assert.ok(unknown.kind === 'refused' && unknown.problem.code === 'access.unknown-upstream')
  await whole.stop()
  assert.deepEqual(whole.seen, [])
  const events = await whole.events()
  assert.equal(events.filter((event) => event.type === 'decision' && event.code === 'policy.no-rule').length, 2)
  assert.equal(events.filter((event) => event.type === 'refusal' && event.code === 'access.unknown-upstream').length, 1)
})

test('a quota that is used up stays used up over a restart [T6]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings], [{ id: 'two-an-hour', match: { upstream: 'api' }, per: ['tenant', 'agent'], requests: 2, window: '1h' }])
  await whole.start()
  await whole.enrolAgent()
  const first = await whole.agent()
  for (const id of [1, 2]) assert.equal((await first.callHttp('api', { method: 'GET', path: `/things/${id}` })).kind, 'answer')
  await whole.stop()
  await whole.start()
  const second = await whole.agent()
  const over = await second.callHttp('api', { method: 'GET', path: '/things/3' })
  assert.ok(over.kind === 'refused' && over.problem.code === 'policy.quota-exhausted')
  assert.ok((over.problem.retryAfterSeconds ?? 0) > 0)
  assert.equal(whole.seen.length, 2)
})

test('a bad rule is refused at reload with its place, and the running rules stay [T11]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const good = await readFile(whole.configurationFile, 'utf8')
  await writeFile(whole.configurationFile, good.replace('"then":"permit"', '"when":"args.amount >","then":"permit"'))
  const refused = JSON.stringify(await whole.admin('reload', { person: 'alice' }))
  assert.match(refused, /control\.configuration-invalid/)
  assert.match(refused, /sallyport\.yaml:1:\d+/)
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  await writeFile(whole.configurationFile, good.replace('"then":"permit"', '"then":"deny"'))
  assert.match(JSON.stringify(await whole.admin('reload', { person: 'alice' })), /activated/)
  const denied = await agent.callHttp('api', { method: 'GET', path: '/things/2' })
  assert.ok(denied.kind === 'refused' && denied.problem.code === 'policy.denied')
})

test('nothing of the admin interface can be reached with an agent’s certificate [T11] [T14]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'ask', match: { upstream: 'api' }, then: 'hold' }])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const held = await agent.callHttp('api', { method: 'GET', path: '/things/1' })
  assert.ok(held.kind === 'refused' && held.problem.approval)
  for (const upstream of ['v1', 'admin', 'sallyport']) {
    const answer = await agent.callHttp(upstream, {
      method: 'POST',
      path: '/approvals.answer',
      body: Buffer.from('{}'),
      headers: [['content-type', 'application/json']],
    })
    assert.equal(answer.kind, 'refused')
  }
  const own = JSON.stringify(await whole.admin('approvals.answer', { id: held.problem.approval.id, answer: 'approved', person: 'bot' }))
  assert.match(own, /control\.conflict/)
  assert.equal((await stat(join(whole.data, 'admin.sock'))).mode & 0o777, 0o600)
  assert.equal((await stat(whole.data)).mode & 0o777, 0o700)
  assert.deepEqual(whole.seen, [])
})

test('a second gateway on the same folder, and a taken port, are refused in plain words', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  const { addresses } = await whole.start()
  await using other = await wholeGateway()
  await other.configure([permitThings], [], addresses.agents)
  await assert.rejects(other.start(), /cannot listen on .*EADDRINUSE.*change "listen"/)
  const { startGateway } = await import('@sallyport/gateway')
  await assert.rejects(startGateway({ configurationFile: whole.configurationFile, dataFolder: whole.data, report: () => undefined }), /another|in use|process/i)
})

test('a revoked agent is cut off at once and stays out over a restart [F1]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  await whole.admin('agent.revoke', { tenant: 'acme', agent: 'bot', person: 'alice' })
  const after = await agent.callHttp('api', { method: 'GET', path: '/things/2' })
  assert.ok(after.kind === 'refused' && after.problem.code === 'identity.unauthenticated')
  await whole.stop()
  await whole.start()
  const restarted = await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/3' })
  assert.ok(restarted.kind === 'refused' && restarted.problem.code === 'identity.unauthenticated')
  assert.equal(whole.seen.length, 1)
})

test('a held call can be read, approved and used once over restarts [T14]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'ask', match: { upstream: 'api' }, then: 'hold' }])
  await whole.start()
  await whole.enrolAgent()
  const held = await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1?note=private' })
  assert.ok(held.kind === 'refused' && held.problem.approval)
  await whole.stop()
  assert.ok(!(await readFile(join(whole.data, 'state.db'))).includes('private'))
  await whole.start()
  assert.match(JSON.stringify(await whole.admin('approvals', {})), /"note":"private"/)
  assert.match(JSON.stringify(await whole.admin('approvals.answer', { id: held.problem.approval.id, answer: 'approved', person: 'alice' })), /"approved"/)
  await whole.stop()
  await whole.start()
  const agent = await whole.agent()
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1?note=private' })).kind, 'answer')
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1?note=private' })).kind, 'refused')
  assert.equal(whole.seen.length, 1)
})

test('malformed HTTP from a known certificate is in the log, the first few singly and the rest as a count [L1]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  for (let index = 0; index < 9; index += 1) await agent.callHttp('api', { method: 'GET', path: '/things/%2e%2e' })
  await whole.stop()
  const refusals = (await whole.events()).filter((event) => event.type === 'refusal' && event.code === 'edge.malformed')
  // Each thread that serves agents counts for itself.
  assert.ok(refusals.length <= 4 * Math.max(1, whole.threads))
  assert.equal(
    refusals.reduce((sum, event) => sum + (event.type === 'refusal' ? event.count : 0), 0),
    9,
  )
  assert.deepEqual(whole.seen, [])
})

test('an agent without its tenant blocks nothing, and a data folder open to others starts nothing', async () => {
  await using whole = await wholeGateway()
  await whole.configure([permitThings])
  await whole.start()
  await whole.enrolAgent()
  assert.match(JSON.stringify(await whole.admin('block', { agent: 'other', person: 'alice' })), /an agent needs its tenant/)
  assert.equal((await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  await whole.stop()
  await chmod(whole.data, 0o755)
  await assert.rejects(whole.start(), /open to others/)
})
