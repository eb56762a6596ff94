import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ownPaths, ticketHeader } from '@sallyport/contract'
import { loadIdentity } from '@sallyport/runtime'
import { startCluster } from '../fixtures/cluster.ts'
import { openedSession } from '../fixtures/people.ts'
import { startPostgres } from '../fixtures/postgres.ts'
import { spawnGateway } from '../fixtures/whole-gateway.ts'
import { askAs, type Asked } from '../fixtures/ask-as.ts'

/** After how long the gateway that refreshes is killed: before, while and after a provider that takes 400 ms rotates the token. */
const killedAfterMs = [0, 100, 250, 390, 410, 450, 600]
/** Longer than the lease of a flight that nobody lands, and the quarantine after it. */
const patienceMs = 60_000

test('[S5] [S9] [S10] one of two gateways is killed while it refreshes: the other gives the owner one successor or asks for a login, and a thief nothing', async () => {
  const postgres = await startPostgres()
  try {
    await using cluster = await startCluster(postgres, { sessions: { quarantine: '1s' } })
    const { people, other } = cluster
    const { whole, provider } = people
    await whole.enrolAgent('thief')
    const ask = async (address: string, handle: unknown, agent = 'bot'): Promise<Asked> =>
      askAs(address, await loadIdentity(join(whole.folder, agent)), ownPaths.sessionRefresh, [], { handle }, undefined)
    const { agents } = whole.running.addresses
    let held = await openedSession(people)
    await other.stop()
    for (const ms of killedAfterMs) {
      await using killed = await spawnGateway(other)
      provider.fault('/token', { delayMs: 400 })
      const cutOff = ask(killed.addresses.agents, held.handle).catch((error: unknown) => error)
      await new Promise((resolve) => setTimeout(resolve, ms))
      killed.child.kill('SIGKILL')
      await cutOff
      provider.fault('/token', 'pass')
      const until = Date.now() + patienceMs
      let refreshed = await ask(agents, held.handle)
      while (refreshed.status === 503 && Date.now() < until) {
        assert.equal((await ask(agents, held.handle, 'thief')).said, 'session.invalid')
        await new Promise((resolve) => setTimeout(resolve, 500))
        refreshed = await ask(agents, held.handle)
      }
      if (refreshed.said === 'answered') {
        const { ticket, handle } = refreshed.body
        const whoami = await askAs(
          agents,
          await loadIdentity(join(whole.folder, 'bot')),
          ownPaths.whoami,
          [[ticketHeader, String(ticket)]],
          undefined,
          undefined,
        )
        assert.equal(whoami.status, 200)
        held = { ...held, handle: String(handle), ticket: String(ticket) }
      } else {
        // The provider had rotated its token, and nobody was left who knew the new one.
        assert.equal(refreshed.said, 'session.login-required', `killed after ${ms} ms`)
        held = await openedSession(people)
      }
      assert.equal((await ask(agents, held.handle, 'thief')).said, 'session.invalid')
    }
    const { logKey } = await other.start()
    await other.stop()
    await other.assertLogVerifies(logKey)
    for (const gateway of [whole, other]) {
      const events = await gateway.events()
      for (const event of events) {
        if (event.type !== 'session' || event.act !== 'refreshed') continue
        const validation = events[event.validation ?? -1]
        assert.ok(validation?.type === 'session' && validation.act === 'validated' && validation.session === event.session)
      }
    }
  } finally {
    await postgres.stop()
  }
})
