import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const token = `ghp_${'0123456789abcdefghijklmnopqrst'}0ewjkf`.slice(0, 40)

test('a secret in a record, plain or in base64, is in no byte of the log, and the record says that it held one', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  const bot = await recorder(whole)
  await bot.open()
  const [aws, named] = ['AKIAIOSFODNN7EXAMPLQ', 'AKIAIOSFODNN7EXAMPLR']
  const facts = {
    plain: `key ${aws} used`,
    harmless: 'text',
    inside: Buffer.from(`the key ${aws} was used`).toString('base64'),
    password: 'hunter2hunter2hunter2!',
    [named]: true,
  }
  const first = await bot.send(1, [happened('tool.ran', facts)])
  assert.equal(first.said, 'answered')
  assert.deepEqual((await bot.send(1, [happened('tool.ran', facts)])).body, first.body, 'the same again is the same')
  const [record] = (await whole.events()).filter((event) => event.type === 'record')
  assert.ok(record?.type === 'record')
  assert.equal(record.facts['harmless'], 'text')
  assert.match(String(record.facts['plain']), /^\[redacted secret\//)
  assert.match(String(record.facts['inside']), /^\[redacted secret\//)
  assert.ok((record.redacted ?? 0) >= 3)
  const text = JSON.stringify(await whole.events())
  for (const secret of [aws, named, facts.inside, token]) assert.ok(!text.includes(secret), secret)
})
