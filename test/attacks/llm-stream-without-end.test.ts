// A stream that never ends would hold a connection, memory and a reserve for ever.
import assert from 'node:assert/strict'
import test from 'node:test'
import { chat, LlmGateway } from '../fixtures/llm-gateway.ts'

const body = chat('endless', { stream: true, max_tokens: 5 })

test('a stream is cut when its time is over, however busy it is [T5]', async () => {
  await using gateway = await LlmGateway.start({ upstream: { deadlines: { total: '1s' } } })
  const answer = await gateway.ask({ body }).catch(() => 'cut')
  // On a machine that is slow enough the time is over before the stream begins.
  assert.ok(answer === 'cut' || (typeof answer === 'object' && answer.status === 504))
  assert.deepEqual(
    (await gateway.outcomes()).map(({ code, usage }) => [code, usage]),
    [['forward.upstream-timeout', undefined]],
  )
})

test('a stream is cut when it is too long [T5]', async () => {
  await using gateway = await LlmGateway.start({ upstream: { answerBytesMax: '1MiB' } })
  await assert.rejects(gateway.ask({ upstream: 'anthropic', path: '/v1/messages', body }))
  assert.deepEqual(
    (await gateway.outcomes()).map(({ result, code }) => [result, code]),
    [['failed', 'forward.answer-too-large']],
  )
})

test('a model that never answers is given up [T5]', async () => {
  await using gateway = await LlmGateway.start({ upstream: { deadlines: { headers: '200ms' } } })
  const answer = await gateway.ask({ body: chat('hang') })
  assert.deepEqual([answer.status, answer.code], [504, 'forward.upstream-timeout'])
})
