import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { Role, TaskState } from '@a2a-js/sdk'
import { AgentEvent } from '@a2a-js/sdk/server'
import { callerClaims, callerType } from '@sallyport/contract'
import { identityInFolder, openBridge, openLink, readOrCreateSecret } from '@sallyport/runtime'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { messageOf, statusOf, textOf, thumbprintOf } from '../fixtures/a2a-agent.ts'
import { a2aGate, clientOver, permitBilling } from '../fixtures/a2a-gate.ts'
import { claimsOf, idOf } from '../fixtures/delegation.ts'
import { clock } from '../fixtures/whole-gateway.ts'

test('[T2] the official client of A2A talks to the official server through the gateway, by a card that leads back to it', async () => {
  await using gate = await a2aGate()
  const client = await gate.client()
  const { supportedInterfaces, capabilities, securitySchemes, signatures, name } = await client.getAgentCard()
  assert.deepEqual(
    [name, supportedInterfaces.map(({ url }) => url), capabilities?.pushNotifications, Object.keys(securitySchemes), signatures],
    ['Billing', [gate.url], false, ['gateway'], []],
  )
  const answered = await client.sendMessage({ tenant: '', message: messageOf('who paid?', '', Role.ROLE_USER), configuration: undefined, metadata: undefined })
  assert.ok('messageId' in answered)
  assert.equal(textOf(answered), 'echo: who paid?')
  const said = gate.peer.heard.at(-1)
  assert.deepEqual([said?.shownBy, said?.headers['a2a-version'], said?.headers['sallyport-ticket']], ['URI:spiffe://agents.example/gateway', '1.0', undefined])

  const decisions = (await gate.agents.gate.whole.events()).flatMap((event) =>
    event.type === 'decision' ? [[event.action, event.resource, event.decision]] : [],
  )
  assert.deepEqual(decisions.slice(-2), [
    ['card', idOf('billing'), 'permit'],
    ['SendMessage', idOf('billing'), 'permit'],
  ])
})

test('a called agent can verify who calls, for which call, and that it was told to itself alone', async () => {
  await using gate = await a2aGate()
  await (await gate.client()).sendMessage({ tenant: '', message: messageOf('hi', '', Role.ROLE_USER), configuration: undefined, metadata: undefined })
  const { body } = await gate.agents.gate.ask(gate.billing, '/sallyport/v1/jwks')
  const verified = await jwtVerify(
    String(gate.peer.heard.at(-1)?.headers['sallyport-caller']),
    createLocalJWKSet(body as unknown as Parameters<typeof createLocalJWKSet>[0]),
    {
      typ: callerType,
      algorithms: ['ES256'],
      issuer: 'spiffe://agents.example',
      audience: idOf('billing'),
    },
  )
  const { sub, cnf, jti } = callerClaims.parse(verified.payload)
  const sent = (await gate.agents.gate.whole.events()).flatMap((event) => (event.type === 'decision' && event.action === 'SendMessage' ? [event.request] : []))
  assert.deepEqual([sub, cnf['x5t#S256'], jti], [idOf('bot'), thumbprintOf(gate.billing), sent.at(-1)])
})

test('[F3] a called agent gets a ticket of the caller’s session where its upstream says so, bound to the certificate that it shows', async () => {
  await using gate = await a2aGate({ upstream: { ticket: 'delegated', scopes: ['calendar.read'] } })
  const client = await gate.client('bot', gate.agents.ticket)
  await client.sendMessage({ tenant: '', message: messageOf('pay', '', Role.ROLE_USER), configuration: undefined, metadata: undefined })
  const ticket = String(gate.peer.heard.at(-1)?.headers['sallyport-ticket'])
  const { agent, scopes, thumbprint, earlierActors, session } = claimsOf(ticket)
  assert.deepEqual(
    [agent.id, scopes, thumbprint, earlierActors.map(({ id }) => id), session],
    [idOf('billing'), ['calendar.read'], thumbprintOf(gate.billing), [idOf('bot')], claimsOf(gate.agents.ticket).session],
  )
  assert.equal(await gate.agents.show('billing', ticket), 'answered')
  await (await gate.client()).sendMessage({ tenant: '', message: messageOf('pay', '', Role.ROLE_USER), configuration: undefined, metadata: undefined })
  assert.equal(gate.peer.heard.at(-1)?.headers['sallyport-ticket'], undefined, 'without a session there is nothing to pass on')
})

test('tasks are streamed, asked for and cancelled, and a stream ends when the caller goes away', async () => {
  await using gate = await a2aGate()
  const cancelled = Promise.withResolvers<void>()
  gate.peer.works = async (text, bus, { taskId, contextId }) => {
    bus.publish(
      AgentEvent.task({
        id: taskId,
        contextId,
        status: { state: TaskState.TASK_STATE_WORKING, message: undefined, timestamp: undefined },
        artifacts: [],
        history: [],
        metadata: undefined,
      }),
    )
    if (text === 'long') return cancelled.promise
    bus.publish(AgentEvent.statusUpdate(statusOf(taskId, contextId, TaskState.TASK_STATE_COMPLETED, messageOf('done', contextId))))
    bus.finished()
  }
  const client = await gate.client()
  const states: unknown[] = []
  let taskId = ''
  for await (const { payload } of client.sendMessageStream({
    tenant: '',
    message: messageOf('short', '', Role.ROLE_USER),
    configuration: undefined,
    metadata: undefined,
  })) {
    states.push(payload?.$case)
    if (payload?.$case === 'task') taskId = payload.value.id
  }
  assert.deepEqual(states, ['task', 'statusUpdate'])
  assert.equal((await client.getTask({ tenant: '', id: taskId, historyLength: undefined })).status?.state, TaskState.TASK_STATE_COMPLETED)
  const resources = (await gate.agents.gate.whole.events()).flatMap((event) =>
    event.type === 'decision' && event.action === 'GetTask' ? [event.resource] : [],
  )
  assert.deepEqual(resources, [taskId])

  for await (const { payload } of client.sendMessageStream({
    tenant: '',
    message: messageOf('long', '', Role.ROLE_USER),
    configuration: undefined,
    metadata: undefined,
  })) {
    assert.equal(payload?.$case, 'task')
    if (payload?.$case === 'task') taskId = payload.value.id
    break
  }
  assert.equal((await client.cancelTask({ tenant: '', id: taskId, metadata: undefined })).status?.state, TaskState.TASK_STATE_CANCELED)
  cancelled.resolve()
})

test('a held call to an agent is told as an error of JSON-RPC with its approval, and goes through once it is approved', async () => {
  await using gate = await a2aGate({ rules: [{ ...permitBilling, then: 'hold' }] })
  const ask = async (): Promise<unknown> =>
    (await gate.client()).sendMessage({ tenant: '', message: messageOf('pay', '', Role.ROLE_USER), configuration: undefined, metadata: undefined })
  await assert.rejects(ask(), /A person must approve this call/)
  const { approvals } = (await gate.agents.gate.whole.admin('approvals', {})) as { approvals: readonly { readonly id: string }[] }
  await gate.agents.gate.whole.admin('approvals.answer', { id: approvals[0]?.id, answer: 'approved', person: 'ada' })
  await ask()
  assert.equal(gate.peer.heard.filter(({ method }) => method === 'POST').length, 1)
})

test('the official client calls another agent through the bridge, by a card that leads back to the bridge', async () => {
  await using gate = await a2aGate()
  const { whole } = gate.agents.gate
  const [host = '', port = ''] = whole.running.addresses.agents.split(':')
  const directory = join(whole.folder, 'bot')
  const link = await openLink({ identity: identityInFolder(directory), gateway: { host, port: Number(port) }, clock, report: () => undefined })
  const clientSecret = await readOrCreateSecret(directory, randomBytes)
  const bridge = await openBridge({
    link,
    listen: { host: '127.0.0.1', port: 0 },
    clientSecret,
    allowedOrigins: [],
    clock,
    newId: randomUUID,
    report: () => undefined,
  })
  try {
    const fetchImpl: typeof fetch = (input, init = {}) =>
      fetch(input, { ...init, headers: { ...(init.headers as object), 'x-sallyport-secret': clientSecret } })
    const client = await clientOver(fetchImpl, `${bridge.url}/a2a/billing/`)
    assert.deepEqual(
      (await client.getAgentCard()).supportedInterfaces.map(({ url }) => url),
      [`${bridge.url}/a2a/billing`],
    )
    const answered = await client.sendMessage({ tenant: '', message: messageOf('hi', '', Role.ROLE_USER), configuration: undefined, metadata: undefined })
    assert.ok('messageId' in answered && textOf(answered) === 'echo: hi')
    assert.ok(!JSON.stringify(gate.peer.heard).includes('sallyport-reached-at'))
  } finally {
    await bridge.close()
    await link.close()
  }
})

test('an agent of the library acts on with a ticket that was passed on to it', async () => {
  await using gate = await a2aGate({ upstream: { ticket: 'delegated' } })
  await (
    await gate.client('bot', gate.agents.ticket)
  ).sendMessage({
    tenant: '',
    message: messageOf('pay', '', Role.ROLE_USER),
    configuration: undefined,
    metadata: undefined,
  })
  const client = await gate.agents.gate.whole.agent('billing')
  const answered = await client.callHttp('api', { method: 'GET', path: '/things/1', ticket: String(gate.peer.heard.at(-1)?.headers['sallyport-ticket']) })
  assert.equal(answered.kind, 'answer')
  if (answered.kind === 'answer') answered.body.resume()
  const entry = (await gate.agents.gate.whole.events()).findLast((event) => event.type === 'decision')
  assert.ok(entry?.type === 'decision')
  assert.deepEqual([entry.caller.agent, entry.caller.actors], ['billing', [idOf('bot')]])
})
