// Strangers without a certificate come in numbers, to fill the log and to keep the gateway busy.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('strangers are counted and write nothing to the log, and agents are served meanwhile [L1]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, then: 'permit' }])
  const { addresses } = await whole.start()
  await whole.enrolAgent()
  const [host = '', port = ''] = addresses.agents.split(':')
  const agent = await whole.agent()
  const before = (await whole.events()).length
  const strangers = 200
  const come = async (): Promise<void> => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false })
    socket.on('error', () => undefined)
    socket.write('GET /http/api/things/1 HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((closed) => socket.once('close', closed))
  }
  const flood = Promise.all(Array.from({ length: strangers }, come))
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  await flood
  const metrics = await (await fetch(`http://${addresses.operations}/metrics`)).text()
  const counted = [...metrics.matchAll(/sallyport_connections_refused_total\{reason="no-certificate"\} (\d+)/g)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
  assert.equal(counted, strangers)
  await whole.stop()
  const events = (await whole.events()).slice(before)
  assert.deepEqual(events.map(({ type }) => type).toSorted(), ['decision', 'gateway', 'outcome'])
  assert.equal(whole.seen.length, 1)
})
