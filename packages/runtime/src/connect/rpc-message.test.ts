import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readClientMessage, readPeerMessage } from './rpc-message.ts'

const table: readonly [text: string, kind: string][] = [
  ['{"jsonrpc":"2.0","id":1,"method":"ping"}', 'request'],
  ['{"jsonrpc":"2.0","id":"a","method":"ping","params":{}}', 'request'],
  ['{"jsonrpc":"2.0","method":"notifications/initialized"}', 'notification'],
  ['{"jsonrpc":"2.0","id":1,"result":{}}', 'response'],
  ['{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}', 'response'],
  ['{"jsonrpc":"2.0","id":null,"method":"ping"}', '-32600'],
  ['{"jsonrpc":"2.0","id":{},"method":"ping"}', '-32600'],
  ['{"jsonrpc":"2.0","id":1}', '-32600'],
  ['{"jsonrpc":"1.0","id":1,"method":"ping"}', '-32600'],
  ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', '-32600'],
  ['null', '-32600'],
  ['{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', '-32700'],
  ['{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}', '-32700'],
  ['not json', '-32700'],
]

for (const [text, kind] of table) {
  test(`reads ${text} as ${kind}`, () => {
    const read = readClientMessage(text, 1000)
    assert.equal(read.kind === 'refused' ? String(read.code) : read.kind, kind)
    if (read.kind !== 'refused') assert.equal(read.text, text)
  })
}

test('makes one line of an answer and changes nothing in it', () => {
  const text = '{\r\n "jsonrpc": "2.0",\n "id": 7, "result": {"big": 12345678901234567890, "text": "a\\nb"}\n}'
  const message = readPeerMessage(text)
  assert.equal(message?.answers, 7)
  assert.equal(message.line, '{  "jsonrpc": "2.0",  "id": 7, "result": {"big": 12345678901234567890, "text": "a\\nb"} }')
  assert.equal(readPeerMessage('{"id":1,"method":"sampling/createMessage"}')?.answers, undefined)
  for (const other of ['', 'x', '[]', '1', 'null']) assert.equal(readPeerMessage(other), undefined)
})
