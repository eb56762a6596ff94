import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LlmEndpoint } from '../../access/llm/endpoints.ts'
import { AnswerNotes } from './answer-notes.ts'
import { EventReading, readBytesMax, WholeReading } from './noted-answer.ts'

const data = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`
const text = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString()

function readEvents(endpoint: LlmEndpoint, events: readonly unknown[], hidesUsage = false): { readonly notes: AnswerNotes; readonly shown: string } {
  const notes = new AnswerNotes(endpoint)
  const reading = new EventReading(notes, hidesUsage)
  const shown = events.map((event) => text(reading.pass(Buffer.from(data(event))))).join('')
  return { notes, shown: shown + text([reading.rest() ?? Buffer.alloc(0)]) }
}

const usage = { prompt_tokens: 3, completion_tokens: 4 }
const told = { inputTokens: 3, outputTokens: 4 }
const chunk = { model: 'm', choices: [{ delta: { content: 'x' }, finish_reason: null }] }

test('only the event that nobody asked for is left out', () => {
  const azure = { choices: [], prompt_filter_results: [] }
  const early = { ...chunk, usage }
  const { notes, shown } = readEvents('chat.completions', [azure, chunk, early, { choices: [], usage }, '[DONE]'], true)
  assert.equal(shown, [azure, chunk, early, '[DONE]'].map(data).join(''))
  assert.deepEqual(notes.finalUsage(false), told)
})

test('numbers on the way are not the last word', () => {
  const running = readEvents('chat.completions', [{ ...chunk, usage }]).notes
  assert.deepEqual([running.finalUsage(false), running.finalUsage(true)], [undefined, told])
  const start = { type: 'message_start', message: { model: 'm', usage: { input_tokens: 3, output_tokens: 1 } } }
  assert.equal(readEvents('messages', [start]).notes.finalUsage(true), undefined)
  const delta = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4, input_tokens: null } }
  const ended = readEvents('messages', [start, delta, { type: 'message_stop' }]).notes
  assert.deepEqual([ended.finalUsage(false), ended.stopReason], [told, 'end_turn'])
  assert.equal(readEvents('messages', [start, delta, { type: 'error', error: { type: 'overloaded_error' } }]).notes.finalUsage(true), undefined)
  assert.equal(readEvents('chat.completions', [{ ...chunk, usage }, { error: { message: 'x' } }, '[DONE]']).notes.finalUsage(true), undefined)
  assert.equal(
    readEvents('responses', [{ type: 'response.failed', response: { usage: { input_tokens: 3, output_tokens: 4 } } }]).notes.finalUsage(true),
    undefined,
  )
})

test('what was written to the cache or read from it is input too', () => {
  const notes = new AnswerNotes('messages')
  notes.takeWhole({ usage: { input_tokens: 1, cache_creation_input_tokens: 10, cache_read_input_tokens: 100, output_tokens: 4 } })
  assert.deepEqual(notes.finalUsage(true), { inputTokens: 111, outputTokens: 4, cachedInputTokens: 100 })
})

test('names are few, short and well-formed, whatever the model says', () => {
  const notes = new AnswerNotes('messages')
  const blocks = Array.from({ length: 200 }, () => ({ type: 'tool_use', name: `\ud800${'n'.repeat(1000)}` }))
  notes.takeWhole({ model: 'm'.repeat(5000), stop_reason: '\udfff'.repeat(500), content: [...blocks, { type: 'tool_use', name: 5 }, null, 7] })
  assert.equal(notes.toolCalls.length, 64)
  assert.ok([...notes.toolCalls, notes.model ?? '', notes.stopReason ?? ''].every((name) => name.length <= 256 && name.isWellFormed()))
})

test('every form of answer can be any JSON at all', () => {
  const values = [
    null,
    5,
    'x',
    [],
    [[]],
    {},
    { choices: 5 },
    { choices: [null, 5, { message: [] }] },
    { output: [null, { type: 5 }] },
    { content: {}, usage: [] },
  ]
  for (const endpoint of ['chat.completions', 'responses', 'embeddings', 'messages', 'messages.count_tokens', 'models.list'] as const) {
    for (const value of values) {
      const whole = new AnswerNotes(endpoint)
      whole.takeWhole(value)
      assert.equal(whole.finalUsage(true), undefined)
      assert.equal(
        readEvents(endpoint, [value, { type: 'message_start', message: value }, { type: 'response.completed', response: value }]).notes.finalUsage(true),
        undefined,
      )
    }
  }
})

test('an answer or an event that is too large passes unread, whole', () => {
  const half = Buffer.alloc(readBytesMax / 2 + 1, 'x')
  const whole = new AnswerNotes('messages')
  const wholeReading = new WholeReading(whole)
  assert.equal([...wholeReading.pass(half), ...wholeReading.pass(half)].length, 2)
  wholeReading.conclude()
  assert.equal(whole.finalUsage(true), undefined)
  for (const hidesUsage of [true, false]) {
    const notes = new AnswerNotes('chat.completions')
    const reading = new EventReading(notes, hidesUsage)
    const given = [Buffer.from(data(chunk)), half, half, Buffer.from(`\n\n${data({ choices: [], usage })}${data('[DONE]')}`)]
    const shown = given.flatMap((piece) => reading.pass(piece))
    assert.ok(Buffer.concat([...shown, reading.rest() ?? Buffer.alloc(0)]).equals(Buffer.concat(given)))
    assert.equal(notes.finalUsage(true), undefined)
  }
})
