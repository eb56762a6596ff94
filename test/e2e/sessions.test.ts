import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import {
  gatewayClient,
  identityInFolder,
  loadIdentity,
  openBridge,
  openLink,
  readOrCreateSecret,
  sessionInFolder,
  type GatewayClient,
  type GatewayLink,
  type SessionTrouble,
} from '@sallyport/runtime'
import { addAgentSideCommands } from '@sallyport/runtime/cli'
import { Command } from 'commander'
import { askAs, type Asked } from '../fixtures/ask-as.ts'
import { ask as askBridge } from '../fixtures/ask-bridge.ts'
import { clock, wholeGateway } from '../fixtures/whole-gateway.ts'
import { permitThings, sessionGate, type SessionGate } from '../fixtures/whole-sessions.ts'

/** One command of the agent's side, as a user types it. */
async function command(directory: string, ...words: string[]): Promise<{ readonly out: string; readonly error: string; readonly code: number }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  let code = -1
  const root = new Command('sallyport')
  const io = { stdin: new PassThrough(), stdout, stderr, env: {}, program: ['sallyport'], now: Date.now, stop: AbortSignal.abort() }
  addAgentSideCommands({ root, agent: root.command('agent') }, { ...io, exit: (given) => void (code = given) })
  await root.parseAsync(['agent', 'session', ...words, '--identity', directory, '--json'], { from: 'user' })
  stdout.end()
  stderr.end()
  return { out: await textOf(stdout), error: await textOf(stderr), code }
}

async function linkIn(gate: SessionGate, told: SessionTrouble[] = []): Promise<{ readonly link: GatewayLink; readonly client: GatewayClient }> {
  const directory = join(gate.whole.folder, 'bot')
  const link = await openLink({
    identity: identityInFolder(directory),
    session: { store: sessionInFolder(directory), random: Math.random, report: (trouble) => void told.push(trouble) },
    clock,
    report: (failure) => assert.fail(String(failure)),
  })
  return { link, client: gatewayClient(link) }
}

async function call(client: GatewayClient): Promise<string> {
  const answer = await client.callHttp('api', { method: 'GET', path: '/things/1' })
  if (answer.kind === 'refused') return answer.problem.code
  await textOf(answer.body)
  return 'answered'
}

const required = { sessions: { required: '*' } }

test('[S1] an agent claims a session, works in it over renewals, rotations and lost keys, and ends it', async () => {
  await using gate = await sessionGate(required)
  const directory = join(gate.whole.folder, 'bot')
  const told: SessionTrouble[] = []
  const { link, client } = await linkIn(gate, told)
  try {
    assert.equal(await call(client), 'identity.session-required')
    assert.deepEqual(JSON.parse((await command(directory, 'status')).out), { session: null })
    await gate.logIn()
    const claimed = await command(directory, 'claim')
    assert.equal(claimed.code, 0, claimed.error)
    const file = join(directory, 'session.json')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.ok(!claimed.out.includes((await sessionInFolder(directory).load())?.handle ?? 'none'), 'the handle is not printed')

    while ((await call(client)) !== 'answered') await new Promise((resolve) => setTimeout(resolve, 100)) // it looks once a second
    const whoami = await link.whoami()
    assert.equal(whoami.kind === 'whoami' && whoami.whoami.session?.person, 'alice')

    // Calls go on while the certificate changes: each shows a ticket of its own certificate.
    const said = new Set<string>()
    let isRenewing = true
    const calling = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (isRenewing) said.add(await call(client))
      }),
    )
    for (let times = 0; times < 3; times += 1) assert.equal((await link.renew()).kind, 'renewed')
    await gate.whole.admin('ticket-keys.rotate', { person: 'ada' })
    assert.equal(await call(client), 'answered')
    isRenewing = false
    await calling
    assert.deepEqual([...said], ['answered'])
    assert.equal(await gate.refreshes(), 3)

    await gate.whole.admin('ticket-keys.recover', { person: 'ada' })
    assert.equal(await call(client), 'identity.ticket-invalid')
    assert.equal(await call(client), 'answered', 'one refusal, and a ticket under the new key')

    assert.equal(JSON.parse((await command(directory, 'status')).out).ticketIsLive, true)
    assert.equal(JSON.parse((await command(directory, 'end')).out).ended, true)
    assert.equal(await sessionInFolder(directory).load(), undefined)
    assert.notEqual(await call(client), 'answered')
    assert.deepEqual(told, [])
  } finally {
    await link.close()
  }
})

test('where nobody has opened a session the command says what a person has to do', async () => {
  await using gate = await sessionGate()
  const { error, code } = await command(join(gate.whole.folder, 'bot'), 'claim')
  const said = JSON.parse(error).error
  assert.deepEqual([code, said.code], [1, 'session.none'])
  assert.match(said.detail, /sallyport session start/)
})

test('[S3] the bridge adds the ticket itself, and takes none from its clients', async () => {
  await using gate = await sessionGate(required)
  const directory = join(gate.whole.folder, 'bot')
  await gate.logIn()
  await command(directory, 'claim')
  const { link } = await linkIn(gate)
  const clientSecret = await readOrCreateSecret(directory, randomBytes)
  const bridge = await openBridge({
    link,
    listen: { host: '127.0.0.1', port: 0 },
    allowedOrigins: [],
    clientSecret,
    clock,
    newId: randomUUID,
    report: (failure) => assert.fail(String(failure)),
  })
  try {
    const headers = { authorization: `Bearer ${clientSecret}`, 'sallyport-ticket': 'of a client' }
    const { status } = await askBridge(bridge.port, { path: '/http/api/things/1', headers })
    assert.equal(status, 200)
    assert.doesNotMatch(gate.whole.seenHeaders.flat().join('\n'), /ticket/i)
  } finally {
    await bridge.close()
    await link.close()
  }
})

test('[S1] a handle and ticket in the hands of another agent do nothing, and change nothing', async () => {
  await using gate = await sessionGate(required)
  const bot = await gate.held()
  const { handle, ticket } = await gate.claim(bot)
  await gate.whole.enrolAgent('thief')
  const thief = await gate.held('thief')
  for (const path of ['/sallyport/v1/session/refresh', '/sallyport/v1/session/end'])
    assert.equal((await gate.ask(thief, path, [], { handle })).said, 'session.invalid')
  assert.equal((await gate.ask(thief, '/http/api/things/1', [['sallyport-ticket', ticket]])).said, 'identity.ticket-invalid')
  assert.equal((await gate.ask(bot, '/http/api/things/1', [['sallyport-ticket', ticket]])).said, 'answered')
  assert.equal((await gate.ask(bot, '/sallyport/v1/session/refresh', [], { handle })).said, 'answered')
})

test('session calls take their own bodies and no others', async () => {
  await using gate = await sessionGate()
  const held = await gate.held()
  const say = async (path: string, body?: unknown): Promise<string> => (await gate.ask(held, `/sallyport/v1/${path}`, [], body)).said
  for (const body of [[], null, { handle: 'x' }, { agent: 'other' }]) assert.equal(await say('session/claim', body), 'access.malformed')
  for (const body of [{}, { handle: 'x' }, { handle: 'x'.repeat(44) }, { handle: ['x'.repeat(43)] }, { handle: 'x'.repeat(43), more: 1 }])
    for (const path of ['session/refresh', 'session/end']) assert.equal(await say(path, body), 'access.malformed')
  assert.equal(await say('session/claim'), 'access.method-not-allowed')
  assert.equal(await say('jwks', {}), 'access.method-not-allowed')
  assert.equal(await say('session/refresh', { handle: 'x'.repeat(43) }), 'session.invalid')
  assert.ok(!gate.people.provider.seen.includes('/token'))
})

for (const threads of [0, 1]) {
  test(`without an identity provider nobody has a session, and everything else is as before, on ${threads} threads`, async () => {
    await using whole = await wholeGateway()
    whole.threads = threads
    await whole.configure([permitThings], [])
    await whole.start()
    await whole.enrolAgent()
    const held = await loadIdentity(join(whole.folder, 'bot'))
    const ask = (path: string, body?: unknown): Promise<Asked> => askAs(whole.running.addresses.agents, held, path, [], body, undefined)
    for (const [path, body] of [
      ['claim', {}],
      ['refresh', { handle: 'x'.repeat(43) }],
      ['end', { handle: 'x'.repeat(43) }],
    ] as const) {
      const answer = await ask(`/sallyport/v1/session/${path}`, body)
      assert.deepEqual([answer.status, answer.said], [404, 'session.none'])
      assert.match(String(answer.body['detail']), /no identity provider/)
    }
    assert.equal((await ask('/http/api/things/1')).said, 'answered')
  })
}

for (const threads of [0, 1]) {
  test(`a rotation under load refuses no ticket, is in force within a second, and outlives a restart, on ${threads} threads`, async () => {
    await using gate = await sessionGate(required, threads)
    const held = await gate.held()
    const said: string[] = []
    let isOver = false
    const sessions = [await gate.claim(held), await gate.claim(held), await gate.claim(held)]
    const calling = Promise.all(
      sessions.map(async ({ handle }) => {
        let next = handle
        while (!isOver) {
          const { body } = await gate.ask(held, ownPaths.sessionRefresh, [], { handle: next })
          next = String(body['handle'])
          const ticket = String(body['ticket'])
          said.push((await gate.ask(held, '/http/api/things/1', [['sallyport-ticket', ticket]])).said)
        }
      }),
    )
    const before = await gate.claim(held)
    const startedAt = Date.now()
    for (let times = 0; times < 3; times += 1) await gate.whole.admin('ticket-keys.rotate', { person: 'ada' })
    assert.ok(Date.now() - startedAt < 3_000)
    isOver = true
    await calling
    assert.deepEqual(new Set(said), new Set(['answered']))
    const keysOf = async (): Promise<unknown> => (await gate.ask(held, '/sallyport/v1/jwks')).body['keys']
    const keys = await keysOf()
    assert.ok(Array.isArray(keys) && keys.length === 5)
    assert.doesNotMatch(JSON.stringify(keys), /"d"/)

    await gate.whole.stop()
    await gate.whole.start()
    assert.deepEqual(await keysOf(), keys)
    assert.equal((await gate.ask(held, '/http/api/things/1', [['sallyport-ticket', before.ticket]])).said, 'answered')
    assert.deepEqual(gate.whole.faults, [])
  })
}

test('rules see the person and what they agreed to', async () => {
  const rule = { id: 'calendar', match: { upstream: 'api' }, when: 'subject.session && subject.person == "alice" && "calendar.read" in subject.scopes' }
  await using gate = await sessionGate({}, undefined, [{ ...rule, then: 'permit' }])
  const held = await gate.held()
  assert.equal((await gate.ask(held, '/http/api/things/1')).said, 'policy.no-rule')
  const { ticket } = await gate.claim(held)
  assert.equal((await gate.ask(held, '/http/api/things/1', [['sallyport-ticket', ticket]])).said, 'answered')
  gate.people.provider.declines = 'calendar.read'
  const other = await gate.claim(held)
  assert.equal((await gate.ask(held, '/http/api/things/1', [['sallyport-ticket', other.ticket]])).said, 'policy.no-rule')
})
