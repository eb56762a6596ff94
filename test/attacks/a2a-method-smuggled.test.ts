import assert from 'node:assert/strict'
import { test } from 'node:test'
import { a2aGate, sending } from '../fixtures/a2a-gate.ts'

const task = (method: string): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { id: 't' } })

/** One call for the gateway, another for a lenient agent; or nothing that A2A 1.0 has. */
const smuggled: readonly (readonly [how: string, body: string, said: string])[] = [
  ['two methods', task('GetTask').replace('"method":', '"method":"CancelTask","method":'), 'access.malformed'],
  ['a method in another case beside it', task('GetTask').replace('"method":', '"Method":"CancelTask","method":'), 'access.malformed'],
  ['a method escaped beside it', task('GetTask').replace('"method":', '"meth\\u006fd":"CancelTask","method":'), 'access.malformed'],
  ['two ids of tasks', task('CancelTask').replace('"id":"t"', '"id":"t","id":"u"'), 'access.malformed'],
  ['a member that the method does not have', task('GetTask').replace('"id":"t"', '"id":"t","message":{}'), 'access.malformed'],
  ['a batch', `[${task('GetTask')},${task('CancelTask')}]`, 'access.malformed'],
  ['a notification', task('CancelTask').replace('"id":1,', ''), 'access.malformed'],
  ['an answer', JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} }), 'access.malformed'],
  ['another JSON-RPC', task('GetTask').replace('2.0', '1.0'), 'access.malformed'],
  ['params in a list', task('GetTask').replace('{"id":"t"}', '["t"]'), 'access.malformed'],
  ['a method of A2A 0.3', task('tasks/cancel'), 'access.unknown-method'],
  ['a method that is on every object', task('constructor'), 'access.unknown-method'],
  ['a method with a blank', task('GetTask '), 'access.malformed'],
  ['the extended card', task('GetExtendedAgentCard'), 'access.unknown-method'],
  ['a member in the spelling of Protocol Buffers', sending('hi', {}, { task_id: 'other' }), 'access.malformed'],
  ['a configuration in that spelling', sending('hi', { configuration: { return_immediately: true } }), 'access.malformed'],
  ['a part with two contents', sending('hi', {}, { parts: [{ text: 'hi', url: 'https://attacker.example' }] }), 'access.malformed'],
  ['a message as the agent', sending('hi', {}, { role: 'ROLE_AGENT' }), 'access.malformed'],
  ['a message without parts', sending('hi', {}, { parts: [] }), 'access.malformed'],
  ['trailing bytes', `${task('GetTask')} {}`, 'access.malformed'],
]

test('nothing is forwarded that an agent could read as another call than was judged', async () => {
  await using gate = await a2aGate()
  for (const [how, body, said] of smuggled) assert.equal((await gate.post(body)).said, said, how)
  for (const [how, headers] of [
    ['no version', { 'a2a-version': '' }],
    ['another version', { 'a2a-version': '0.3' }],
    ['two versions', { 'a2a-version': '1.0, 0.3' }],
  ] as const)
    assert.equal((await gate.post(task('GetTask'), headers)).said, 'access.unsupported-version', how)
  for (const path of ['/a2a/billing?A2A-Version=0.3', '/a2a/billing/message:send', '/a2a/billing/rpc', '/a2a/billing/v1/tasks/t'])
    assert.match((await gate.post(task('GetTask'), {}, 'bot', path)).said, /^access\.(?:malformed|unknown-target)$/, path)
  assert.equal((await gate.post('method=GetTask', { 'content-type': 'text/plain' })).said, 'access.unsupported-media')
  assert.equal((await gate.post(task('GetTask'), { 'content-encoding': 'gzip' })).said, 'access.unsupported-media')
  assert.deepEqual(gate.peer.heard, [])
})

test('rules for a method hold for that method alone, and see what is said', async () => {
  const rules = [
    { id: 'read', match: { upstream: 'billing', action: 'GetTask' }, when: 'resource == "t"', then: 'permit' },
    {
      id: 'say',
      match: { upstream: 'billing', action: 'SendMessage' },
      when: 'args.message.parts.all(part, has(part.text)) && !has(args.extensions)',
      then: 'permit',
    },
  ]
  await using gate = await a2aGate({ rules })
  assert.equal((await gate.post(task('GetTask'))).said, 'answered')
  for (const refused of [task('CancelTask'), task('SubscribeToTask'), task('GetTask').replace('"t"', '"u"'), sending('x', {}, { parts: [{ data: 1 }] })])
    assert.equal((await gate.post(refused)).said, 'policy.no-rule', refused)
  assert.equal((await gate.post(sending('hi'))).said, 'answered')
  assert.equal((await gate.post(sending('hi'), { 'a2a-extensions': 'https://attacker.example/in-band-credentials' })).said, 'policy.no-rule')
})
