import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationBuckets } from './metric-definitions.ts'
import { Metrics, prometheusText } from './metrics.ts'

const api = { code: 'answered', upstream: 'api' }

test('a duration falls into the first bucket that ends at it or after, and buckets add up', () => {
  const metrics = new Metrics()
  for (const seconds of [0.001, 0.0011, 60, 61]) metrics.observe('sallyport_request_duration_seconds', api, seconds)
  const text = prometheusText(metrics.series())
  const labels = 'code="answered",upstream="api"'
  for (const [end, count] of [
    ['0.001', 1],
    ['0.0025', 2],
    ['30', 2],
    ['60', 3],
    ['+Inf', 4],
  ])
    assert.ok(text.includes(`sallyport_request_duration_seconds_bucket{${labels},le="${end}"} ${count}\n`), `${end}: ${text}`)
  assert.ok(text.includes(`sallyport_request_duration_seconds_count{${labels}} 4\n`))
  assert.match(text, /^# HELP sallyport_request_duration_seconds [^\n]+\n# TYPE sallyport_request_duration_seconds histogram\n/)
})

test('the series of threads add up, and none is changed by it', () => {
  const [one, other] = [new Metrics(), new Metrics()]
  for (const metrics of [one, other, other]) {
    metrics.count('sallyport_requests_total', api)
    metrics.observe('sallyport_request_duration_seconds', api, 0.5)
  }
  other.count('sallyport_requests_total', { code: 'policy.no-rule', upstream: 'api' })
  const text = prometheusText(one.series(structuredClone(other.series())))
  assert.ok(text.includes('sallyport_requests_total{code="answered",upstream="api"} 3\n'))
  assert.ok(text.includes('sallyport_requests_total{code="policy.no-rule",upstream="api"} 1\n'))
  assert.ok(text.includes('sallyport_request_duration_seconds_sum{code="answered",upstream="api"} 1.5\n'))
  assert.deepEqual(one.series()[0]?.values, [1])
  assert.equal(one.series()[1]?.values.length, durationBuckets.length + 2)
})

test('a value of a label cannot end its line', () => {
  const metrics = new Metrics()
  metrics.count('sallyport_connections_refused_total', { reason: 'a"} 1\nb\\' })
  assert.equal(prometheusText(metrics.series()).split('\n').at(-2), 'sallyport_connections_refused_total{reason="a_} 1_b_"} 1')
})
