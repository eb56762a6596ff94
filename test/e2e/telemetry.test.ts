import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeMsMax } from '../../packages/gateway/src/telemetry/otlp/receiver.ts'
import { OtlpReceiver, type ReceivedSpan } from '../fixtures/otlp-receiver.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const rules = [{ id: 'things', match: { upstream: 'api', action: 'get_thing' }, then: 'permit' }]
const agents = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const traceparent = `00-${agents.traceId}-${agents.spanId}-01`

async function observed(receiver: OtlpReceiver, traces: object = {}): Promise<WholeGateway> {
  const whole = await wholeGateway()
  await configure(whole, { traces: { endpoint: `${receiver.url}/v1/traces`, ...traces } })
  await whole.start()
  await whole.enrolAgent()
  return whole
}

function configure(whole: WholeGateway, telemetry: object): Promise<void> {
  return whole.configure(rules, [], '127.0.0.1:0', {}, { telemetry })
}

function named(spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] {
  return spans.filter((span) => span.name === name)
}

for (const threads of [0, 1, 2]) {
  test(`a request becomes a span, its decision and its exchange children of it, on ${threads} threads`, async () => {
    await using receiver = await new OtlpReceiver().listen()
    await using whole = await wholeGateway()
    whole.threads = threads
    await configure(whole, { traces: { endpoint: `${receiver.url}/v1/traces` }, metrics: { endpoint: `${receiver.url}/v1/metrics` } })
    await whole.start()
    await whole.enrolAgent()
    const client = await whole.agent()
    assert.equal((await client.callHttp('api', { method: 'GET', path: '/things/1', headers: [['traceparent', traceparent]] })).kind, 'answer')
    assert.equal((await client.callHttp('api', { method: 'GET', path: '/other' })).kind, 'refused')
    await whole.stop()

    const [permitted, denied, ...more] = named(receiver.spans, 'request').sort((a, b) => b.links.length - a.links.length)
    assert.ok(permitted && denied && more.length === 0)
    const decisions = await whole.events()
    const [decision] = decisions.filter((event) => event.type === 'decision')
    const { 'sallyport.request.id': id, ...attributes } = permitted.attributes
    assert.equal(id, decision?.type === 'decision' && decision.request)
    assert.deepEqual(attributes, {
      'http.request.method': 'GET',
      'sallyport.tenant': 'acme',
      'sallyport.agent': 'bot',
      'sallyport.upstream': 'api',
      'sallyport.protocol': 'http',
      'sallyport.decision': 'permit',
      'sallyport.action': 'get_thing',
      'http.response.status_code': 200,
    })
    assert.deepEqual([permitted.kind, permitted.parentSpanId, permitted.links], [2, undefined, [agents]])
    const children = receiver.spans.filter(({ parentSpanId }) => parentSpanId === permitted.spanId)
    assert.deepEqual(
      new Set(children.map(({ name, kind, traceId }) => `${name} ${kind} ${traceId}`)),
      new Set([`decide 1 ${permitted.traceId}`, `forward 3 ${permitted.traceId}`]),
    )
    assert.equal(denied.attributes['sallyport.problem'], 'policy.no-rule')
    assert.deepEqual(
      receiver.spans.filter(({ parentSpanId }) => parentSpanId === denied.spanId).map(({ name }) => name),
      ['decide'],
    )

    const durations = receiver.metrics.find(({ name }) => name === 'sallyport_request_duration_seconds')
    assert.deepEqual(durations?.histogram?.dataPoints.map(({ attributes: { code, upstream }, count }) => [code, upstream, count]).sort(), [
      ['answered', 'api', 1],
      ['policy.no-rule', 'api', 1],
    ])
    assert.deepEqual(whole.faults, [])
  })
}

test('what an agent says of its trace is a link, the parent, or nothing, as the configuration says', async () => {
  const seen: Record<string, unknown> = {}
  for (const trust of ['none', 'parent'] as const) {
    await using receiver = await new OtlpReceiver().listen()
    await using whole = await observed(receiver, { trust })
    await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1', headers: [['traceparent', traceparent]] })
    await whole.stop()
    const [span] = named(receiver.spans, 'request')
    seen[trust] = [span?.traceId === agents.traceId, span?.parentSpanId, span?.links]
  }
  assert.deepEqual(seen, { none: [false, undefined, []], parent: [true, agents.spanId, []] })
})

test('upstreams are told of the trace of the gateway only when that is configured', async () => {
  for (const propagate of [true, false]) {
    await using receiver = await new OtlpReceiver().listen()
    await using whole = await observed(receiver, { propagate })
    await (
      await whole.agent()
    ).callHttp('api', {
      method: 'GET',
      path: '/things/1',
      headers: [
        ['traceparent', traceparent],
        ['tracestate', 'a=b'],
      ],
    })
    await whole.stop()
    const [forward] = named(receiver.spans, 'forward')
    const [told] = whole.heads.map((headers) => [headers['traceparent'], headers['tracestate']])
    assert.deepEqual(told, propagate ? [`00-${forward?.traceId}-${forward?.spanId}-01`, undefined] : [traceparent, 'a=b'])
  }
})

test('a receiver that hangs holds up neither a request nor the end', async () => {
  await using receiver = await new OtlpReceiver().listen()
  receiver.status = 0
  await using whole = await observed(receiver)
  const client = await whole.agent()
  const heard = receiver.nextBatch
  for (let call = 0; call < 20; call += 1) assert.equal((await client.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  await heard
  const before = performance.now()
  await whole.stop()
  assert.ok(performance.now() - before < closeMsMax + 3_000, 'the end waits for a bounded time')
})

test('a receiver that refuses is told of once, by the code of its answer', async () => {
  await using receiver = await new OtlpReceiver().listen()
  receiver.status = 401
  await using whole = await observed(receiver)
  const client = await whole.agent()
  for (let batch = 0; batch < 2; batch += 1) {
    const heard = receiver.nextBatch
    await client.callHttp('api', { method: 'GET', path: '/things/1' })
    await heard
  }
  const metrics = await (await fetch(`http://${whole.running.addresses.operations}/metrics`)).text()
  await whole.stop()
  assert.deepEqual(whole.faults, ['telemetry.export-failed: Error: the receiver of traces does not take them (HTTP 401)'])
  assert.match(metrics, /sallyport_telemetry_exports_total\{signal="traces",result="failed"\} [12]\n/)
})
