import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from '../metrics.ts'
import { openTracing, spansWaitingMax } from './open-tracing.ts'

const connection = { certificate: new Uint8Array(), issuers: [], remoteAddress: '127.0.0.1' }
const inbound = {
  id: '0190f3b2-5c1e-7d3a-9b7e-2f6d1c0a8e4b',
  receivedAt: 0,
  connection,
  method: 'GET',
  path: '/',
  query: '',
  headers: [],
  body: undefined,
  signal: new AbortController().signal,
}
const answer = { status: 200, headers: [], body: new Uint8Array() }
// Nothing listens there.
const terms = {
  endpoint: 'http://127.0.0.1:9/v1/traces',
  headers: async () => ({}),
  onExport: () => undefined,
  trust: 'none',
  propagate: false,
  version: '0',
} as const

test('spans that find no room are dropped and counted, each once', async () => {
  const metrics = new Metrics()
  const tracing = openTracing({ ...terms, sample: 1 }, metrics)
  for (let request = 0; request < spansWaitingMax + 7; request += 1) tracing.begin(inbound).end(answer, 'answered')
  assert.deepEqual(
    metrics.series().map(({ name, values }) => [name, ...values]),
    [['sallyport_telemetry_spans_dropped_total', 7]],
  )
  await tracing.close()
})

test('what is not sampled takes no room', async () => {
  const metrics = new Metrics()
  const tracing = openTracing({ ...terms, sample: 0 }, metrics)
  for (let request = 0; request < spansWaitingMax + 7; request += 1) tracing.begin(inbound).end(answer, 'answered')
  assert.deepEqual(metrics.series(), [])
  await tracing.close()
})
