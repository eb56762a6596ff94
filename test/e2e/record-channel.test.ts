import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutRelay } from '../fixtures/cut-relay.ts'
import { channelOver, comesUp } from '../fixtures/record-channel.ts'
import { configureRecording } from '../fixtures/recording.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

async function recordedKinds(whole: WholeGateway): Promise<readonly string[]> {
  return (await whole.events()).flatMap((event) => (event.type === 'record' ? [`${event.number} ${event.kind}`] : event.type === 'runtime' ? [event.act] : []))
}

test('[L3] a record resolves with the index of its durable entry, and a run that ends signs off', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  await using relay = await cutRelay(() => whole.running.addresses.agents)
  const { channel } = await channelOver(relay, whole)
  const recorded = await channel.record({ kind: 'tool.ran', facts: { name: 'a\u001b[2Jb', times: 2 } })
  assert.ok(recorded.kind === 'recorded')
  const entry = (await whole.events())[recorded.index]
  assert.ok(entry?.type === 'record')
  assert.deepEqual(entry.facts, { name: 'a\uFFFD[2Jb', times: 2 })
  const many = await Promise.all(Array.from({ length: 100 }, (_, at) => channel.record({ kind: 'tool.ran', facts: { at } })))
  assert.ok(many.every(({ kind }) => kind === 'recorded'))
  await channel.close()
  assert.equal((await channel.record({ kind: 'tool.ran' })).kind, 'refused', 'it is closed')
  const kinds = await recordedKinds(whole)
  assert.equal(kinds.length, 103)
  assert.equal(kinds.at(-1), 'closed')
  await whole.assertLogVerifies(whole.running.logKey)
})

test('[L2] while the channel is down what must be recorded is refused at once, and nothing of it appears later', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  await using relay = await cutRelay(() => whole.running.addresses.agents)
  await using opened = await channelOver(relay, whole, { record_within_ms: 1000 })
  const { channel } = opened
  assert.equal((await channel.record({ kind: 'before' })).kind, 'recorded')
  relay.set('away')
  const first = await channel.record({ kind: 'in-flight' })
  assert.ok(first.kind === 'refused' && first.problem.code === 'connect.not-recorded', 'it could not be made durable in time')
  const startedAt = performance.now()
  for (let times = 0; times < 50; times += 1) {
    const refused = await channel.record({ kind: 'while-down' })
    assert.ok(refused.kind === 'refused' && refused.problem.code === 'connect.not-recorded')
  }
  assert.ok(performance.now() - startedAt < 1000, 'nobody waits for a channel that is down')
  assert.equal((await channel.ready())?.problem.code, 'connect.not-recorded')
  relay.set('whole')
  await comesUp(channel)
  assert.equal((await channel.record({ kind: 'after' })).kind, 'recorded')
  assert.equal((await recordedKinds(whole)).includes('while-down'), false)
  assert.equal(opened.troubles.length, 1, 'a row of failures is told once')
  await whole.assertLogVerifies(whole.running.logKey)
})

test('[L3] an answer that is lost and asked for again leaves one entry, and the caller hears of that one', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  await using relay = await cutRelay(() => whole.running.addresses.agents)
  await using opened = await channelOver(relay, whole)
  const { channel } = opened
  assert.equal((await channel.record({ kind: 'before' })).kind, 'recorded')
  relay.set('deaf')
  const recording = channel.record({ kind: 'heard-once' })
  while (relay.lost === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok((await recordedKinds(whole)).includes('2 heard-once'))
  relay.set('whole')
  const recorded = await recording
  assert.ok(recorded.kind === 'recorded')
  const events = await whole.events()
  const entry = events[recorded.index]
  assert.ok(entry?.type === 'record' && entry.kind === 'heard-once')
  assert.deepEqual(await recordedKinds(whole), ['opened', '1 before', '2 heard-once'])
  assert.equal(opened.troubles.length, 1)
})

test('what waits for the gateway is bounded: one more is refused, and notes that found no room are counted', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  await using relay = await cutRelay(() => whole.running.addresses.agents)
  await using opened = await channelOver(relay, whole, { memory_records: 4, flush_ms: 300 })
  const { channel } = opened
  await comesUp(channel)
  const waiting = Array.from({ length: 4 }, (_, at) => channel.record({ kind: 'waiting', facts: { at } }))
  const refused = await channel.record({ kind: 'too-many' })
  assert.ok(refused.kind === 'refused')
  for (let times = 0; times < 7; times += 1) channel.note({ kind: 'no-room' })
  assert.ok((await Promise.all(waiting)).every(({ kind }) => kind === 'recorded'))
  assert.equal((await channel.record({ kind: 'after' })).kind, 'recorded')
  const events = await whole.events()
  const leftOut = events.flatMap((event) => (event.type === 'record' && event.kind === 'records.left-out' ? [event.facts['count']] : []))
  assert.deepEqual(leftOut, [7])
})
