import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import type { Worker } from 'node:worker_threads'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const permitThings = { id: 'things', match: { upstream: 'api' }, then: 'permit' }

/** Whether the gateway gives a real answer, and otherwise the code of the refusal, or that there was no answer at all. */
async function ask(whole: WholeGateway, path = '/things/1'): Promise<string> {
  const agent = await whole.agent()
  try {
    const answer = await agent.callHttp('api', { method: 'GET', path })
    if (answer.kind === 'refused') return answer.problem.code
    for await (const piece of answer.body) void piece
    return 'answered'
  } catch {
    return 'no answer'
  } finally {
    await agent.close()
  }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what()));
}

test('quotas are exact and approvals single over several threads [T5] [T6] [T14]', async () => {
  await using whole = await wholeGateway()
  whole.threads = 2
  await whole.configure(
    [{ id: 'ask', match: { upstream: 'api' }, when: 'has(args.query.ask)', then: 'hold' }, permitThings],
    [{ id: 'ten', match: { upstream: 'api' }, per: ['agent'], requests: 10, window: '1h' }],
  )
  const { logKey } = await whole.start()
  await whole.enrolAgent()
  const held = await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1?ask=1' })
  assert.ok(held.kind === 'refused' && held.problem.approval)
  await whole.admin('approvals.answer', { id: held.problem.approval.id, answer: 'approved', person: 'alice' })
  // Every call on a connection of its own: the system spreads them over the threads.
  const approved = await Promise.all(Array.from({ length: 8 }, () => ask(whole, '/things/1?ask=1')))
  assert.deepEqual(approved.filter((answer) => answer === 'answered').length, 1)
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(whole)))
  assert.equal(answers.filter((answer) => answer === 'answered').length, 9)
  assert.equal(answers.filter((answer) => answer === 'policy.quota-exhausted').length, 21)
  assert.equal(whole.seen.length, 10)
  await whole.stop()
  await whole.assertLogVerifies(logKey)
  assert.deepEqual(whole.faults, [])
})

test('a data-plane thread that ends is replaced; no entry is lost, and what it had permitted stands as unanswered [L1] [L4]', async () => {
  await using whole = await wholeGateway()
  whole.threads = 1
  const planes: Worker[] = []
  whole.onThread = (name, worker) => void (name === 'data-plane' && planes.push(worker))
  await whole.configure([permitThings])
  const { logKey } = await whole.start()
  await whole.enrolAgent()
  assert.equal(await ask(whole), 'answered')
  const [first] = planes
  assert.ok(first)
  const ended = once(first, 'exit')
  whole.onSeen = () => void first.terminate() // the call is permitted, written and at the API
  assert.equal(await ask(whole, '/things/2'), 'no answer')
  whole.onSeen = () => undefined
  await ended
  await until(async () => (await ask(whole, '/things/3')) === 'answered')
  assert.equal(planes.length, 2)
  await whole.stop()
  await whole.assertLogVerifies(logKey)
  const events = await whole.events()
  const lost = events.findIndex(
    (event) =>
      event.type === 'decision' &&
      event.resource === '/things/{id}' &&
      event.decision === 'permit' &&
      !events.some((other) => other.type === 'outcome' && other.request === event.request),
  )
  assert.ok(lost > 0)
  assert.ok(events.some((event) => event.type === 'gateway' && event.act === 'thread-replaced' && event.unanswered?.includes(lost)))
})

test('the ledger’s thread ends: nothing is permitted until the log is recovered, and nothing that was acknowledged is lost [L1] [L4] [T6]', async () => {
  await using whole = await wholeGateway()
  whole.threads = 1
  const ledgers: Worker[] = []
  whole.onThread = (name, worker) => void (name === 'ledger' && ledgers.push(worker))
  await whole.configure([permitThings], [{ id: 'three', match: { upstream: 'api' }, per: ['agent'], requests: 3, window: '1h' }])
  const { logKey, addresses } = await whole.start()
  const readiness = async (): Promise<number> => (await fetch(`http://${addresses.operations}/readyz`)).status
  await whole.enrolAgent()
  assert.equal(await ask(whole), 'answered')
  const [first] = ledgers
  assert.ok(first)
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  whole.holdAnswers = released
  const { promise: atTheApi, resolve: arrived } = Promise.withResolvers<void>()
  whole.onSeen = arrived
  const inFlight = ask(whole, '/things/2')
  await atTheApi
  await first.terminate()
  assert.equal(await ask(whole, '/things/3'), 'audit.unavailable')
  assert.equal(await readiness(), 503)
  assert.equal(whole.seen.length, 2)
  release()
  assert.equal(await inFlight, 'answered', 'what was permitted is finished')
  await until(async () => ledgers.length === 2 && (await ask(whole, '/things/4')) === 'answered')
  assert.equal(await readiness(), 200)
  assert.equal(await ask(whole, '/things/5'), 'policy.quota-exhausted', 'the quota remembers what was used before')
  await whole.stop()
  await whole.assertLogVerifies(logKey)
  const events = await whole.events()
  const permits = events.flatMap((event) => (event.type === 'decision' && event.upstream === 'api' && event.decision === 'permit' ? [event] : []))
  const outcomes = events.filter((event) => event.type === 'outcome' && permits.some((permit) => permit.request === event.request))
  assert.equal(permits.length, 3)
  assert.equal(outcomes.length, 3, 'the outcome of the call in flight is told to the new ledger')
})

test('a revocation is in force on every thread, open connections included, when the command ends [F1]', async () => {
  await using whole = await wholeGateway()
  whole.threads = 2
  await whole.configure([permitThings])
  await whole.start()
  await whole.enrolAgent()
  const agents = await Promise.all(Array.from({ length: 6 }, () => whole.agent()))
  for (const agent of agents) assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  const before = performance.now()
  await whole.admin('agent.revoke', { tenant: 'acme', agent: 'bot', person: 'alice' })
  assert.ok(performance.now() - before < 2_000)
  const seen = whole.seen.length
  for (const agent of agents) {
    const answer = await agent.callHttp('api', { method: 'GET', path: '/things/2' }).catch(() => undefined)
    assert.ok(answer === undefined || (answer.kind === 'refused' && answer.problem.code === 'identity.unauthenticated'))
    await agent.close()
  }
  assert.equal(whole.seen.length, seen)
})
