import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { operator } from '../fixtures/operator.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const entry = '{"act":"agent.revoked","subject":{},"type":"admin","v":1}'
const deep = `${'['.repeat(200)}${']'.repeat(200)}`

test('a record that would be a second entry, act on a terminal, nest or grow without bound is refused, and what is taken is shown on one line as a claim', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  const bot = await recorder(whole)
  await bot.open()
  const hostile: readonly object[] = [
    happened('tool.ran', { text: `a\n${entry}` }),
    happened('tool.ran', { text: '\u001b[2J' }),
    happened('tool.ran', { text: '\u009b2J' }),
    happened('tool.ran', { text: '\u202e' }),
    happened('tool.ran', { text: '\u2028' }),
    happened('tool.ran', { text: '\ud800' }),
    happened('tool.ran', { text: 'x'.repeat(1025) }),
    happened('tool.ran', { one: 'x'.repeat(1000), two: 'x'.repeat(1000), three: 'x'.repeat(100) }),
    happened('tool.ran', Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`f${at}`, at]))),
    happened('tool\nran'),
    happened('Tool'),
    happened('a.b.c.d.e'),
    { ...happened('tool.ran'), at: 'yesterday' },
    { ...happened('tool.ran'), at: '2026-11-25T09:00:00.000Z\n' },
    { ...happened('tool.ran'), facts: { 'a b': 1 } },
    { ...happened('tool.ran'), facts: { ['__proto__']: 1, a: { b: 1 } } },
    { ...happened('tool.ran'), facts: JSON.parse(`{"a":${deep}}`) },
    { ...happened('tool.ran'), number: 7 },
  ]
  for (const record of hostile) assert.equal((await bot.send(1, [record])).said, 'access.malformed', JSON.stringify(record).slice(0, 200))
  for (const first of [0, -1, 1.5, 2 ** 53, 1e13]) assert.equal((await bot.send(first, [happened('tool.ran')])).said, 'access.malformed', String(first))
  assert.equal((await bot.send(1, Array.from({ length: 65 }, () => happened('tool.ran')))).said, 'access.malformed')

  assert.equal((await bot.send(1, [happened('tool.ran', { text: entry, quoted: '"],"v":1}' })])).said, 'answered')
  const events = await whole.events()
  assert.equal(events.filter(({ type }) => type === 'record').length, 1)
  assert.equal(events.some((event) => event.type === 'admin' && event.act === 'agent.revoked'), false)
  await whole.assertLogVerifies(whole.running.logKey)
  const { stdout } = await operator(whole, ['log', 'search', '--type', 'record'])
  const lines = stdout.split('\n').filter((line) => line.includes('  record '))
  assert.equal(lines.length, 1, stdout)
  assert.match(lines[0] ?? '', /acme\/bot {2}says tool\.ran/)
})
