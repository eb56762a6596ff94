import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, jsonValue, property, string } from 'fast-check'
import { deltaPieces } from './delta-pieces.ts'

function piecesOf(value: unknown): readonly (readonly [strand: string, text: string])[] {
  const text = JSON.stringify(value)
  return deltaPieces(text, 0, text.length).map(({ strand, start, end }) => [strand, text.slice(start, end)])
}

test('the texts of language models are found with the answer that they belong to', () => {
  assert.deepEqual(piecesOf({ id: 'x', choices: [{ index: 1, delta: { role: 'assistant', content: 'he"l' }, finish_reason: null }] }), [
    ['/choices//delta/content index=1', 'he\\"l'],
  ])
  assert.deepEqual(piecesOf({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a":' } }), [
    ['/delta/partial_json index=0', '{\\"a\\":'],
  ])
  assert.deepEqual(piecesOf({ type: 'response.output_text.delta', output_index: 0, delta: 'lo' }), [['/delta output_index=0', 'lo']])
  assert.deepEqual(piecesOf({ candidates: [{ content: { parts: [{ text: 'a' }, { text: 'b' }] } }] }), [
    ['/candidates//content/parts//text', 'a'],
    ['/candidates//content/parts//text', 'b'],
  ])
  const tool = { choices: [{ index: 0, delta: { tool_calls: [{ index: 3, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] } }] }
  assert.deepEqual(piecesOf(tool), [['/choices//delta/tool_calls//function/arguments index=0 index=3', '{}']])
  assert.deepEqual(piecesOf({ object: 'delta', text: 7, note: 'x', list: ['text', 'delta'] }), [])
})

test('of any text the pieces lie inside of its strings, and none is read twice', () => {
  check(
    property(jsonValue(), string(), (value, tail) => {
      const text = JSON.stringify({ delta: value }) + tail
      let at = 0
      for (const { start, end } of deltaPieces(text, 0, text.length)) {
        assert.ok(start >= at && end >= start && end <= text.length && text[start - 1] === '"')
        at = end
      }
    }),
  )
})
