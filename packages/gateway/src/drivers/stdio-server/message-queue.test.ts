import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '@sallyport/contract'
import type { JsonRpcMessage } from '../../access/access-request.ts'
import { MessageQueue } from './message-queue.ts'

const note: JsonRpcMessage = { kind: 'notification', method: 'notifications/progress', value: {} }
const response: JsonRpcMessage = { kind: 'response', id: 1, value: {} }

test('drops notifications past its bound, never a response, and is left once', async () => {
  let left = 0
  const queue = new MessageQueue(10, () => (left += 1))
  queue.push(note, 10)
  queue.push(note, 1)
  queue.push(response, 100)
  queue.finish()
  queue.push(note, 1)
  const seen: string[] = []
  for await (const { kind } of queue) seen.push(kind)
  assert.deepEqual(seen, ['notification', 'response'])
  assert.equal(left, 1)
})

test('gives what waits before it throws', async () => {
  const queue = new MessageQueue(10, () => undefined)
  queue.push(note, 1)
  queue.finish(new Fault('the server ended', 'unknown'))
  const seen: string[] = []
  await assert.rejects(async () => {
    for await (const { kind } of queue) seen.push(kind)
  }, Fault)
  assert.deepEqual(seen, ['notification'])
})
