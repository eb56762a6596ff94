import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TaskState } from '@a2a-js/sdk'
import { AgentEvent } from '@a2a-js/sdk/server'
import { messageOf } from '../fixtures/a2a-agent.ts'
import { a2aGate, sending } from '../fixtures/a2a-gate.ts'

test('what an agent knows to authenticate with does not reach another: neither headers nor its ticket in a message', async () => {
  await using gate = await a2aGate({ upstream: { ticket: 'delegated' } })
  const { ticket } = gate.agents
  const told = {
    authorization: 'Bearer secret-1',
    cookie: 'a=secret-2',
    'x-api-key': 'secret-3',
    'proxy-authorization': 'secret-4',
    'sallyport-ticket': ticket,
  }
  assert.equal((await gate.post(sending('hello'), told)).said, 'answered')
  const [heard] = gate.peer.heard
  assert.doesNotMatch(JSON.stringify(heard), /secret-/)
  assert.ok(heard && !JSON.stringify(heard).includes(ticket))

  for (const body of [
    sending(`use this: ${ticket}`),
    sending('hello', {}, { metadata: { authorization: ticket } }),
    sending('hello', { metadata: { deep: [{ er: `Bearer ${ticket}` }] } }),
    sending('hello', {}, { parts: [{ data: { token: ticket } }] }),
    sending(ticket).replace('eyJhbGci', '\\u0065yJhbGci'),
  ])
    assert.equal((await gate.post(body)).said, 'access.malformed')
  assert.equal(gate.peer.heard.length, 1)
})

test('no webhook with a credential is registered, in either spelling or by its own method', async () => {
  await using gate = await a2aGate()
  const webhook = { url: 'https://attacker.example/hook', token: 'secret', authentication: { scheme: 'Bearer', credentials: 'secret' } }
  for (const name of ['taskPushNotificationConfig', 'task_push_notification_config', 'pushNotificationConfig', 'push_notification_config']) {
    const { said, body } = await gate.post(sending('hello', { configuration: { [name]: webhook } }))
    assert.ok(said === 'access.unknown-method' || said === 'access.malformed', `${name}: ${said}`)
    assert.ok(!body.includes('secret'))
  }
  for (const method of ['Create', 'Get', 'Delete'].map((verb) => `${verb}TaskPushNotificationConfig`).concat('ListTaskPushNotificationConfigs')) {
    const { said, body } = await gate.post(JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { taskId: 't', ...webhook } }))
    assert.deepEqual([said, JSON.parse(body).error.code, JSON.parse(body).id], ['access.unknown-method', -32003, 7], method)
  }
  assert.deepEqual(gate.peer.heard, [])
})

test('an agent tells its callers neither its ticket nor a challenge, in no answer', async () => {
  await using gate = await a2aGate({ upstream: { ticket: 'delegated' } })
  let passed = ''
  gate.peer.answers = ({ headers }, response) => {
    passed = String(headers['sallyport-ticket'])
    response.writeHead(200, { 'content-type': 'application/json', 'www-authenticate': `Bearer token="${passed}"`, 'set-cookie': `t=${passed}` })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { message: { parts: [{ text: passed }, { data: { nested: `\u2028${passed}` } }] } } }))
    return true
  }
  const { body, headers } = await gate.post(sending('hello'), { 'sallyport-ticket': gate.agents.ticket })
  assert.ok(passed.length > 400)
  assert.ok(!body.includes(passed), 'its beginning is masked, without which it is none')
  assert.deepEqual([headers['www-authenticate'], headers['set-cookie']], [undefined, undefined])
})

test('AUTH_REQUIRED is an answer like any other, and lets nobody do more than before', async () => {
  await using gate = await a2aGate({ rules: [{ id: 'ask', match: { upstream: 'billing', action: 'SendMessage' }, then: 'permit' }] })
  gate.peer.works = async (_, bus, { taskId, contextId }) => {
    const status = { state: TaskState.TASK_STATE_AUTH_REQUIRED, message: messageOf('log in at https://idp.example', contextId), timestamp: undefined }
    bus.publish(AgentEvent.task({ id: taskId, contextId, status, artifacts: [], history: [], metadata: undefined }))
    bus.finished()
  }
  const { body } = await gate.post(sending('pay'))
  const { task } = JSON.parse(body).result
  assert.equal(task.status.state, 'TASK_STATE_AUTH_REQUIRED')
  for (const method of ['GetTask', 'CancelTask', 'SubscribeToTask'])
    assert.equal((await gate.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { id: task.id } }))).said, 'policy.no-rule', method)
  assert.equal(await gate.agents.show('bot', gate.agents.ticket), 'policy.no-rule')
})
