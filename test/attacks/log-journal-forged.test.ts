// Someone who can write the log's folder, but has no key, writes entries that no checkpoint covers yet: the gateway would publish and sign them.
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { canonicalJson, type LogEvent } from '@sallyport/contract'
import { BatchWriter } from '../../packages/gateway/src/audit/journal.ts'
import { newSigner } from '../fixtures/log-folder.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

/** A batch in the right form, marked with a key of the attacker's own. */
function forgedBatch(firstIndex: number, events: readonly LogEvent[]): Uint8Array {
  const writer = new BatchWriter(newSigner().authenticate)
  for (const event of events) assert.ok(writer.add(Buffer.from(canonicalJson(event))))
  return writer.finish(firstIndex)
}

async function heldCall(whole: WholeGateway): Promise<{ approval: string; call: string }> {
  await whole.configure([{ id: 'ask', match: { upstream: 'api' }, then: 'hold' }])
  await whole.start()
  await whole.enrolAgent()
  await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/1' })
  await whole.stop()
  const held = (await whole.events()).find((event) => event.type === 'decision' && event.decision === 'hold')
  assert.ok(held?.type === 'decision' && held.approval !== undefined)
  return { approval: held.approval, call: held.call }
}

test('a forged yes at the end of the journal approves nothing: the gateway does not start on it [L1] [T14]', async () => {
  await using whole = await wholeGateway()
  const { approval, call } = await heldCall(whole)
  const events = await whole.events()
  const journal = join(whole.data, 'log', 'journal')
  const [segment = ''] = readdirSync(journal).toSorted().reverse()
  const yes: LogEvent = { v: 1, type: 'approval', time: new Date().toISOString(), approval, call, answer: 'approved', person: 'ceo' }
  appendFileSync(join(journal, segment), forgedBatch(events.length, [yes]))
  await assert.rejects(whole.start(), /journal from entry \d+ on was not written by this gateway/)
  assert.deepEqual(whole.seen, [])
})

test('a history of the attacker’s own in place of the true one is not taken up [L1]', async () => {
  await using whole = await wholeGateway()
  await heldCall(whole)
  const log = join(whole.data, 'log')
  for (const name of ['checkpoint', 'tile', 'journal']) rmSync(join(log, name), { recursive: true })
  mkdirSync(join(log, 'journal'))
  const harmless: LogEvent = { v: 1, type: 'admin', time: new Date().toISOString(), act: 'agent.registered', person: 'someone-else', subject: {} }
  writeFileSync(join(log, 'journal', '0000000000000000.batches'), forgedBatch(0, [harmless]))
  await assert.rejects(whole.start(), /rolled back: it has 0 entries, but this gateway signed \d+/)
})

test('an empty folder in place of the log is not taken for a new one [L1]', async () => {
  await using whole = await wholeGateway()
  await heldCall(whole)
  rmSync(join(whole.data, 'log'), { recursive: true })
  await assert.rejects(whole.start(), /rolled back/)
  rmSync(join(whole.data, 'log.head')) // what the operator does who has lost the disk of the log, and knows it
  await whole.start()
})
