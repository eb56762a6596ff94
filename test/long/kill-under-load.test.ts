import assert from 'node:assert/strict'
import test from 'node:test'
import { spawnGateway, wholeGateway } from '../fixtures/whole-gateway.ts'

const rounds = 15

test('kill -9 under load, again and again: no forwarded request without its entry, and the log verifies [L1] [L4]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, then: 'permit' }])
  let logKey = ''
  for (let round = 0; round < rounds; round += 1) {
    const { child, addresses, logKey: key } = await spawnGateway(whole)
    logKey = key
    if (round === 0) await whole.enrolAgent('bot', addresses)
    const agent = await whole.agent('bot', addresses.agents)
    const before = whole.seen.length
    const exited = new Promise((done) => child.once('exit', done))
    whole.onSeen = () => {
      if (whole.seen.length >= before + 5 + round * 3) child.kill('SIGKILL')
    }
    const calls = Array.from({ length: 200 }, async (_, index) => agent.callHttp('api', { method: 'GET', path: `/things/${index}` }).catch(() => undefined))
    await exited
    await Promise.all(calls)
    assert.ok(whole.seen.length > before)
    await whole.stop()
    const events = await whole.events()
    const permitted = events.filter((event) => event.type === 'decision' && event.upstream === 'api' && event.decision === 'permit').length
    assert.ok(whole.seen.length <= permitted, `round ${round}: the API saw ${whole.seen.length} requests, the log has ${permitted}`)
  }
  await whole.start()
  await whole.stop()
  await whole.assertLogVerifies(logKey)
})
