import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ownPaths, ticketHeader } from '@sallyport/contract'
import { enroll, identityInFolder, openLink } from '@sallyport/runtime'
import { askAt, startCluster, type Cluster } from '../fixtures/cluster.ts'
import { openedSession, sessionEvents } from '../fixtures/people.ts'
import { startPostgres, type RunningPostgres } from '../fixtures/postgres.ts'
import { clock, type WholeGateway } from '../fixtures/whole-gateway.ts'

let postgres: RunningPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

const withTicket = (ticket: unknown): [string, string][] => [[ticketHeader, String(ticket)]]

/** What the agent is told at a gateway, at the latest after a second. */
async function saidWithinASecond(cluster: Cluster, gateway: WholeGateway, ticket: unknown, expected: string): Promise<void> {
  const until = Date.now() + 1000
  let said = ''
  while (said !== expected && Date.now() < until) {
    const asked = askAt(cluster, gateway, ownPaths.whoami, undefined, withTicket(ticket))
    said = await asked.then(
      (answer) => answer.said,
      () => 'cut off',
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.equal(said, expected)
}

test('[S4] [S5] a session is one at two gateways: refreshed at either, by one request however many ask, each success naming its validation', async () => {
  await using cluster = await startCluster(postgres)
  const { people, other } = cluster
  const held = await openedSession(people)
  assert.equal((await askAt(cluster, other, ownPaths.whoami, undefined, withTicket(held.ticket))).status, 200, 'a ticket of one counts at the other')
  const requests = (): number => people.provider.seen.filter((path) => path === '/token').length
  const before = requests()
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => askAt(cluster, index % 2 ? people.whole : other, ownPaths.sessionRefresh, { handle: held.handle })),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.equal(new Set(answers.map(({ body }) => body['handle'])).size, 1)
  assert.equal(requests(), before + 1)
  const next = answers[0]?.body['handle']
  assert.equal((await askAt(cluster, other, ownPaths.sessionRefresh, { handle: next })).status, 200)
  assert.equal((await askAt(cluster, people.whole, ownPaths.sessionRefresh, { handle: held.handle })).said, 'session.invalid', 'replaced twice')

  for (const gateway of [people.whole, other]) {
    const events = (await gateway.events()).map((event, index) => ({ event, index }))
    const validated = new Set(events.flatMap(({ event, index }) => (event.type === 'session' && event.act === 'validated' ? [index] : [])))
    for (const { event } of events) if (event.type === 'session' && event.act === 'refreshed') assert.ok(validated.has(event.validation ?? -1))
  }
  assert.ok((await sessionEvents(people)).some(({ act }) => act === 'validated'))
})

test('each gateway of a cluster has a log of its own name', async () => {
  await using cluster = await startCluster(postgres)
  const keys = [cluster.people.whole, cluster.other].map(({ running }) => running.logKey)
  assert.deepEqual(
    keys.map((key) => key.split('+')[0]),
    ['agents.example/sallyport', 'agents.example/other'],
  )
  for (const [index, gateway] of [cluster.people.whole, cluster.other].entries()) await gateway.assertLogVerifies(keys[index] ?? '')
})

test('[S3] keys of tickets are rotated at one gateway, and tickets of either count at both, the newest at once', async () => {
  await using cluster = await startCluster(postgres)
  const { people, other } = cluster
  const held = await openedSession(people)
  for (const gateway of [people.whole, other, people.whole]) {
    const rotated = await gateway.admin('ticket-keys.rotate', { person: 'oscar' })
    assert.ok(typeof rotated === 'object' && rotated !== null && 'kind' in rotated && rotated.kind === 'rotated', JSON.stringify(rotated))
    const { body } = await askAt(cluster, gateway, ownPaths.sessionRefresh, { handle: held.handle })
    for (const each of [people.whole, other]) {
      assert.equal((await askAt(cluster, each, ownPaths.whoami, undefined, withTicket(body['ticket']))).status, 200)
      assert.equal((await askAt(cluster, each, ownPaths.whoami, undefined, withTicket(held.ticket))).status, 200)
    }
    Object.assign(held, { handle: body['handle'] })
  }
})

test('what one gateway narrows the other knows within a second: a session, an agent, a tenant', async () => {
  await using cluster = await startCluster(postgres)
  const { people, other } = cluster
  const held = await openedSession(people)
  await saidWithinASecond(cluster, other, held.ticket, 'answered')
  await other.admin('block', { tenant: 'acme', person: 'oscar' })
  await saidWithinASecond(cluster, people.whole, held.ticket, 'identity.blocked')
  await people.whole.admin('unblock', { tenant: 'acme', person: 'oscar' })
  await saidWithinASecond(cluster, other, held.ticket, 'answered')
  await saidWithinASecond(cluster, people.whole, held.ticket, 'answered')
  await other.admin('session.revoke', { session: held.session, person: 'oscar' })
  await saidWithinASecond(cluster, people.whole, held.ticket, 'identity.ticket-invalid')
  await people.whole.admin('agent.revoke', { tenant: 'acme', agent: 'bot', person: 'oscar' })
  await saidWithinASecond(cluster, other, held.ticket, 'identity.unauthenticated')
  assert.deepEqual([...people.whole.faults, ...other.faults], [])
})

test('an agent that is registered at one gateway enrols at the other, and renews at the first', async () => {
  await using cluster = await startCluster(postgres)
  const { people, other } = cluster
  const added = await people.whole.admin('agent.add', { tenant: 'acme', agent: 'second', person: 'oscar' })
  assert.ok(typeof added === 'object' && added !== null && 'token' in added)
  const directory = join(people.whole.folder, 'second')
  const enrolled = await enroll({
    address: other.running.addresses.enrolment ?? '',
    token: String(added.token),
    directory,
    gatewayAddress: other.running.addresses.agents,
  })
  assert.equal(enrolled.kind, 'enrolled')
  const [host = '', port = ''] = people.whole.running.addresses.agents.split(':')
  const link = await openLink({ identity: identityInFolder(directory), gateway: { host, port: Number(port) }, clock, report: () => undefined })
  const renewed = await link.renew()
  assert.equal(renewed.kind, 'renewed', JSON.stringify(renewed))
  await link.close()
})
