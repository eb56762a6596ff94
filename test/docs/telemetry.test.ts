import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { problems } from '@sallyport/contract'
import { parse } from 'yaml'
import { z } from 'zod'
import { durationBuckets, metricDefinitions } from '../../packages/gateway/src/telemetry/metric-definitions.ts'
import { blocks, section } from '../fixtures/docs-shell.ts'

test('docs/operate/telemetry.md lists the metrics that there are, with their kinds and labels', async () => {
  const rows = [...(await section('docs/operate/telemetry.md', 'Metrics')).matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \|/gm)]
  const listed = rows.map(([, name, kind, labels = '']) => [name, kind, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)])
  assert.deepEqual(
    listed,
    Object.entries(metricDefinitions).map(([name, { kind, labels }]) => [name, kind, labels]),
  )
})

test('it names the buckets of durations', async () => {
  const words = /end at (.*?) ms, (.*?) s\./.exec(await section('docs/operate/telemetry.md', 'Metrics'))
  const numbers = (text = ''): readonly number[] => text.split(/, | and /).map(Number)
  assert.deepEqual([...numbers(words?.[1]).map((ms) => ms / 1000), ...numbers(words?.[2])], [...durationBuckets])
})

test('its alerts speak of metrics, labels and codes that there are', async () => {
  const [yaml = ''] = blocks(await section('docs/operate/telemetry.md', 'Alerts'), 'yaml')
  const { groups } = z.object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) })) }).parse(parse(yaml))
  const expressions = groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))
  assert.ok(expressions.length >= 9)
  const metrics: Readonly<Record<string, { readonly labels: readonly string[] }>> = metricDefinitions
  for (const expression of expressions) {
    for (const [, name = '', selector = ''] of expression.matchAll(/(sallyport_\w+?)(?:_bucket|_count|_sum)?\b(?:\{([^}]*)\})?/g)) {
      const known = metrics[name]
      assert.ok(known, `${name} in ${expression}`)
      for (const [, label = '', operator, value = ''] of selector.matchAll(/(\w+)(=~|=)"([^"]*)"/g)) {
        assert.ok(known.labels.includes(label), `${label} in ${expression}`)
        if (label === 'code' && operator === '=') assert.ok(Object.hasOwn(problems, value), value)
      }
    }
  }
})

test('its bounds are those of the code', () => {
  const page = readFileSync('docs/operate/telemetry.md', 'utf8')
  for (const word of ['At most 2048 finished spans', 'given up after 5 s', 'waits at most 2 s', 'More than 2000 sets']) assert.ok(page.includes(word), word)
})
