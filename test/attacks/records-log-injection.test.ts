import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordLimits } from '@sallyport/contract'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { operator } from '../fixtures/operator.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const entry = '{"act":"agent.revoked","subject":{},"type":"admin","v":1}'
function ofBytes(bytes: number): { one: string; two: string; three: string } {
  const one = 'x'.repeat(700)
  return { one, two: one, three: 'x'.repeat(bytes - JSON.stringify({ one, two: one, three: '' }).length) }
}

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
    happened('tool.ran', { text: 'x'.repeat(recordLimits.factCharactersMax + 1) }),
    happened('tool.ran', ofBytes(recordLimits.factsBytesMax + 1)),
    happened('tool.ran', Object.fromEntries(Array.from({ length: recordLimits.factsMax + 1 }, (_, at) => [`f${at}`, at]))),
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
  for (const first of [0, -1, 1.5, 2 ** 53, recordLimits.numberMax + 1])
    assert.equal((await bot.send(first, [happened('tool.ran')])).said, 'access.malformed', String(first))
  assert.equal(
    (
      await bot.send(
        1,
        Array.from({ length: recordLimits.perMessageMax + 1 }, () => happened('tool.ran')),
      )
    ).said,
    'access.malformed',
  )

  assert.equal((await bot.send(1, [happened('tool.ran', { text: entry, quoted: '"],"v":1}' })])).said, 'answered')
  const most = [
    happened('tool.ran', ofBytes(recordLimits.factsBytesMax)),
    happened('tool.ran', { text: 'x'.repeat(recordLimits.factCharactersMax) }),
    happened('tool.ran', Object.fromEntries(Array.from({ length: recordLimits.factsMax }, (_, at) => [`f${at}`, at]))),
    ...Array.from({ length: recordLimits.perMessageMax - 3 }, () => happened('tool.ran')),
  ]
  assert.equal((await bot.send(2, most)).said, 'answered')
  const events = await whole.events()
  assert.equal(events.filter(({ type }) => type === 'record').length, 1 + recordLimits.perMessageMax)
  assert.equal(
    events.some((event) => event.type === 'admin' && event.act === 'agent.revoked'),
    false,
  )
  await whole.assertLogVerifies(whole.running.logKey)
  const { stdout } = await operator(whole, ['log', 'search', '--type', 'record', '--limit', '100'])
  const lines = stdout.split('\n').filter((line) => line.includes('  record '))
  assert.equal(lines.length, 1 + recordLimits.perMessageMax, stdout)
  for (const line of lines) assert.match(line, /acme\/bot {2}says tool\.ran/)
})
