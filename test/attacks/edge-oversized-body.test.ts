import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyError, type Inbound } from '../../packages/gateway/src/edge/inbound.ts'
import { problemAnswer } from '../../packages/gateway/src/edge/problem-answer.ts'
import { answerOk, assertRefused, openGate, post } from '../fixtures/edge-gate.ts'

const limits = { bodyBytes: 100 }

assertRefused(
  'edge.too-large',
  413,
  [
    { name: 'an announced length above the limit is refused before the body', bytes: post(['content-length: 101']) },
    { name: 'a length beyond every number is refused', bytes: post([`content-length: ${'9'.repeat(30)}`]) },
    { name: 'a chunk above the limit is refused by its size', bytes: post(['transfer-encoding: chunked'], 'ffffffff\r\n') },
  ],
  { limits },
)

test('chunks that grow above the limit while they are read break the body', async () => {
  let readBytes = 0
  const broken = Promise.withResolvers<unknown>()
  const handle = async (inbound: Inbound) => {
    try {
      for await (const piece of inbound.body?.read() ?? []) readBytes += piece.length
    } catch (error) {
      broken.resolve(error)
      if (error instanceof BodyError) return problemAnswer({ code: error.code }, inbound.id)
    }
    return answerOk
  }
  const gate = await openGate({ limits, handle })
  const caller = await gate.connect()
  caller.send(post(['transfer-encoding: chunked'], `32\r\n${'a'.repeat(50)}\r\n`))
  await gate.asked(1)
  caller.send(`33\r\n${'a'.repeat(51)}\r\n0\r\n\r\n`)
  assert.match(await caller.rest(), /^HTTP\/1\.1 413 [^]*connection: close/)
  const error = await broken.promise
  assert.ok(error instanceof BodyError && error.code === 'edge.too-large')
  assert.equal(readBytes, 50, 'nothing above the limit was handed on')
})
