import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyProof, type LogFault, type VerifiedLog } from '@sallyport/contract/log'
import { findEvents } from '../../packages/gateway/src/audit/find-events.ts'
import { nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { prove } from '../../packages/gateway/src/audit/prove.ts'
import { followLog, readBackward, readForward, readRecord } from '../../packages/gateway/src/audit/reader.ts'
import { openLog } from '../../packages/gateway/src/audit/sequencer.ts'
import { openLogFolder, viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import type { LogEvent } from '@sallyport/contract'
import { decisionOf, eventNumber, newSigner, outcomeOf, temporaryFolder, verifyAsOutsider, writeLog } from '../fixtures/log-folder.ts'

async function gather<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const gathered: Item[] = []
  for await (const item of items) gathered.push(item)
  return gathered
}

test('entries are read from any index or time, forward and backward, the journal included', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 700)
  const { log } = await openLog(await openLogFolder(folder), signer, { checkpointIntervalMs: 1_000_000 })
  await Promise.all([700, 701, 702].map((number) => log.append(eventNumber(number))))
  const view = viewLogFolder(folder)

  const forward = async (from: Parameters<typeof readForward>[1]): Promise<number[]> => (await gather(readForward(view, from))).map(({ index }) => index)
  const backward = async (index?: number): Promise<number[]> =>
    (await gather(readBackward(view, index === undefined ? {} : { index }))).map((record) => record.index)
  const row = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)
  for (const index of [0, 1, 255, 256, 699, 700, 702]) {
    assert.deepEqual(await forward({ index }), row(index, 703), `from ${index}`)
    assert.deepEqual(await forward({ time: eventNumber(index).time }), row(index, 703), `from the time of ${index}`)
    assert.deepEqual(await backward(index), row(0, index + 1).reverse(), `back from ${index}`)
  }
  assert.deepEqual(await forward({ index: 703 }), [])
  assert.deepEqual(await forward({ time: '2027-01-01T00:00:00.000Z' }), [])
  assert.deepEqual(await backward(), row(0, 703).reverse())
  assert.deepEqual((await readRecord(view, 701))?.event, eventNumber(701))
  assert.equal(await readRecord(view, 703), undefined)

  const stop = new AbortController()
  const followed: number[] = []
  const pause = async (): Promise<void> => {
    if (followed.length < 5) await log.append(eventNumber(703))
    else stop.abort()
  }
  for await (const record of followLog(view, 700, pause, stop.signal)) followed.push(record.index)
  assert.deepEqual(followed, [700, 701, 702, 703, 704])
  await log.close()
})

test('every entry under the checkpoint has a proof that verifies for that entry alone [L1]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await writeLog(folder, signer, 0, 300)
  const view = viewLogFolder(folder)
  for (const index of [0, 1, 128, 255, 256, 299]) {
    const proving = await prove(view, index, signer.key)
    assert.ok(proving.kind === 'proved')
    assert.equal(verifyProof(proving.proof, proving.entry, signer.key, nodeLogCrypto).kind, 'proved')
    assert.equal(verifyProof(proving.proof, Buffer.from('{}'), signer.key, nodeLogCrypto).kind, 'refused')
    assert.equal(verifyProof(proving.proof, proving.entry, newSigner().key, nodeLogCrypto).kind, 'refused')
  }
  assert.equal((await prove(view, 300, signer.key)).kind, 'refused')
})

test('events are found by request, caller, action, decision, rule and time', async (t) => {
  const folder = temporaryFolder(t)
  const { log } = await openLog(await openLogFolder(folder), newSigner())
  await log.append(decisionOf('one', 0))
  await log.append(outcomeOf('one', 0, 1))
  await log.append(decisionOf('two', 2, 'deny'))
  await log.append(eventNumber(3))
  const found = async (filter: Parameters<typeof findEvents>[1], limit = 10): Promise<number[]> =>
    (await findEvents(viewLogFolder(folder), filter, limit)).map(({ index }) => index)
  assert.deepEqual(await found({ request: 'one' }), [1, 0])
  assert.deepEqual(await found({ decision: 'deny' }), [2])
  assert.deepEqual(await found({ tenant: 'acme', agent: 'invoice-bot', rule: 'crm-read' }), [2, 0])
  assert.deepEqual(await found({ tenant: 'other' }), [])
  assert.deepEqual(await found({ type: 'admin' }), [3])
  assert.deepEqual(await found({ since: eventNumber(2).time }), [3, 2])
  assert.deepEqual(await found({ until: eventNumber(1).time }), [1, 0])
  assert.deepEqual(await found({}, 1), [3])
  await log.close()
})

async function verdictOn(t: Parameters<typeof temporaryFolder>[0], events: readonly LogEvent[]): Promise<VerifiedLog | LogFault> {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  const { log } = await openLog(await openLogFolder(folder), signer)
  for (const event of events) await log.append(event)
  await log.close()
  return verifyAsOutsider(folder, signer)
}

test('the verifier judges what the entries say: outcomes belong to one permit each [L1]', async (t) => {
  const permit = decisionOf('one', 0)
  const outcome = outcomeOf('one', 0, 1)
  const good = await verdictOn(t, [permit, outcome, decisionOf('two', 2)])
  assert.ok(good.kind === 'verified')
  assert.deepEqual([good.unanswered, good.newer, good.firstTime, good.lastTime], [1, 0, permit.time, eventNumber(2).time])

  const bad: [string, LogEvent[]][] = [
    ['a second outcome', [permit, outcome, outcomeOf('one', 0, 2)]],
    ['the outcome of a denial', [eventNumber(0), decisionOf('one', 1, 'deny'), outcomeOf('one', 1, 2)]],
    ['the outcome of another request', [eventNumber(0), decisionOf('one', 1), outcomeOf('two', 1, 2)]],
    ['the outcome of a later entry', [eventNumber(0), eventNumber(0), outcomeOf('one', 3, 1), decisionOf('one', 2)]],
  ]
  for (const [name, events] of bad) {
    const verdict = await verdictOn(t, events)
    assert.ok(verdict.kind === 'fault', name)
    assert.deepEqual([verdict.check, verdict.index], ['outcome-unpaired', 2], name)
  }
})
