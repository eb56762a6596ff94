import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, openGate } from '../fixtures/edge-gate.ts'

for (const [name, header] of [
  ['CR LF in a value', ['x-name', 'a\r\n\r\nHTTP/1.1 200 OK\r\n\r\nforged']],
  ['a character whose low byte is LF', ['x-name', 'a\u010aset-cookie: forged']],
  ['framing that the edge did not choose', ['transfer-encoding', 'chunked']],
] as const) {
  test(`${name} of an answer is never sent`, async () => {
    const gate = await openGate({ handle: () => Promise.resolve({ status: 200, headers: [header], body: Buffer.from('secret') }) })
    const caller = await gate.connect()
    caller.send(get('connection: close'))
    const answer = await caller.rest()
    assert.match(answer, /^HTTP\/1\.1 500 [^]*gateway\.fault/)
    assert.doesNotMatch(answer, /forged|secret|chunked/)
    await gate.seen(({ kind }) => kind === 'request-failed')
  })
}
