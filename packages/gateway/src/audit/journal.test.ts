import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newSigner } from '../../../../test/fixtures/log-folder.ts'
import { batchEntriesMax, BatchWriter, readJournal } from './journal.ts'

const { authenticate } = newSigner()

function journalOf(batches: readonly (readonly Uint8Array[])[], firstIndex: number): Buffer {
  const writer = new BatchWriter(authenticate)
  const parts: Buffer[] = []
  let index = firstIndex
  for (const batch of batches) {
    for (const entry of batch) assert.ok(writer.add(entry))
    parts.push(Buffer.from(writer.finish(index)))
    index += batch.length
  }
  return Buffer.concat(parts)
}

const entry = fc.uint8Array({ maxLength: 40 })
const batches = fc.array(fc.array(entry, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 })

test('what was written is read, with its indexes', () => {
  fc.assert(
    fc.property(batches, fc.nat(), (written, firstIndex) => {
      const { entries, end } = readJournal(journalOf(written, firstIndex), firstIndex, authenticate)
      assert.equal(end, 'whole')
      assert.deepEqual(
        entries.map(({ index, bytes }) => [index, Buffer.from(bytes).toString('hex')]),
        written.flat().map((bytes, at) => [firstIndex + at, Buffer.from(bytes).toString('hex')]),
      )
    }),
  )
})

test('a change anywhere in the newest batch is a torn end, in any other it is damage, and never another entry', () => {
  const written = [[Buffer.from('{"a":1}'), Buffer.from('{"b":2}')], [Buffer.from('{"c":3}')], [Buffer.from('{"d":4}'), Buffer.from('{"e":5}')]]
  const whole = journalOf(written, 7)
  const starts = [0, journalOf(written.slice(0, 1), 7).length, journalOf(written.slice(0, 2), 7).length]
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole)
    changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at)
    const batch = starts.findLastIndex((start) => start <= at)
    const read = readJournal(changed, 7)
    assert.equal(read.end, batch === 2 ? 'torn' : 'damaged', `byte ${at}`)
    assert.equal(read.wholeBytes, starts[batch])
    assert.equal(read.entries.length, written.slice(0, batch).flat().length)
    const cut = readJournal(whole.subarray(0, at), 7)
    assert.equal(cut.end, starts.includes(at) ? 'whole' : 'torn')
    assert.equal(cut.wholeBytes, starts[batch])
  }
})

test('batches that are in the wrong place are not read', () => {
  const whole = journalOf([[Buffer.from('{}')]], 7)
  assert.deepEqual(readJournal(whole, 8).entries, [])
  const repeated = readJournal(Buffer.concat([whole, whole]), 7)
  assert.deepEqual([repeated.entries.length, repeated.end], [1, 'torn'])
})

test('a batch ends at its bounds', () => {
  const writer = new BatchWriter(authenticate)
  for (let count = 0; count < batchEntriesMax; count += 1) assert.ok(writer.add(Buffer.from('{}')))
  assert.equal(writer.add(Buffer.from('{}')), false)
  assert.equal(readJournal(writer.finish(0), 0).entries.length, batchEntriesMax)
  const large = Buffer.alloc(65_535, 'x')
  let count = 0
  while (writer.add(large)) count += 1
  assert.equal(count, 15)
  assert.equal(readJournal(writer.finish(0), 0).entries.length, 15)
  assert.throws(() => writer.add(Buffer.alloc(65_536)), RangeError)
})
