// More calls than the gateway can take, in the hope that it lets some pass unjudged to keep up.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Pool } from 'undici'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

async function manyConnections(whole: WholeGateway, connections: number): Promise<Pool> {
  const [cert, key, ca] = await Promise.all(['agent.crt', 'agent.key', 'bundle.crt'].map((file) => readFile(join(whole.folder, 'bot', file), 'utf8')))
  return new Pool(`https://${whole.running.addresses.agents}`, { connections, pipelining: 1, connect: { cert, key, ca, servername: 'localhost' } })
}

test('under flood every call that is forwarded was judged, was within its quota and has its entry; the rest is refused, not waved through [T9] [T5] [T6]', async () => {
  await using whole = await wholeGateway()
  const quota = 300
  await whole.configure(
    [
      { id: 'things', match: { upstream: 'api' }, then: 'permit' },
      { id: 'never-odd', match: { upstream: 'api' }, when: 'args.path.id.endsWith("1")', then: 'deny' },
    ],
    [{ id: 'limited', match: { upstream: 'api' }, per: ['tenant'], requests: quota, window: '24h' }],
    undefined,
    {},
    { limits: { requestsInFlight: 12, requestsInFlightPerAgent: 12 } },
  )
  const { logKey } = await whole.start()
  await whole.enrolAgent()
  const pool = await manyConnections(whole, 64)
  const answers = new Map<string, number>()
  const sent = 1500
  const ask = async (id: number): Promise<void> => {
    const { statusCode, body } = await pool.request({ method: 'GET', path: `/http/api/things/${id}` })
    const text = await body.text()
    const answer = statusCode === 200 ? 'answered' : String(JSON.parse(text).code)
    answers.set(answer, (answers.get(answer) ?? 0) + 1)
    assert.ok(statusCode !== 200 || id % 10 !== 1, 'a denied call was answered')
  }
  await Promise.all(Array.from({ length: sent }, (_, id) => ask(id)))
  await pool.close()
  await whole.stop()

  assert.ok((answers.get('edge.overloaded') ?? 0) > 0, 'the flood never came up against the limit')
  assert.equal(
    [...answers.values()].reduce((sum, count) => sum + count, 0),
    sent,
  )
  assert.ok(whole.seen.every(({ url }) => !url.endsWith('1')))
  assert.ok(whole.seen.length <= quota)
  assert.equal(answers.get('answered'), whole.seen.length)
  const permits = (await whole.events()).filter((event) => event.type === 'decision' && event.upstream === 'api' && event.decision === 'permit').length
  assert.ok(permits >= whole.seen.length, 'checks done are never below requests accepted')
  await whole.assertLogVerifies(logKey)
})
