import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, openGate } from '../fixtures/edge-gate.ts'

for (const [name, pieces, arrives] of [
  ['longer in one piece', ['oneHTTP/1.1 200 OK\r\n\r\nforged'], ''],
  ['longer by a piece', ['one', 'HTTP/1.1 200 OK\r\n\r\nforged'], 'one'],
  ['shorter', ['on'], 'on'],
] as const) {
  test(`a body ${name} than its answer announced ends the connection, and its surplus is never sent`, async () => {
    const ended = Promise.withResolvers<void>()
    async function* body() {
      try {
        for (const piece of pieces) yield Buffer.from(piece)
      } finally {
        ended.resolve()
      }
    }
    const gate = await openGate({ handle: () => Promise.resolve({ status: 200, headers: [], body: body(), bodyBytes: 3 }) })
    const caller = await gate.connect()
    caller.send(`${get()}${get()}`)
    const received = await caller.rest()
    assert.match(received, new RegExp(`^HTTP/1\\.1 200 OK\\r\\ncontent-length: 3\\r\\n[^]*\\r\\n\\r\\n${arrives}$`))
    assert.equal(gate.handled.length, 1, 'nothing is asked on a connection whose framing is lost')
    await ended.promise
    const event = await gate.seen(({ kind }) => kind === 'connection-closed')
    assert.ok(event.kind === 'connection-closed' && event.reason === 'answer-broke')
  })
}
