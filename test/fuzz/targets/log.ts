import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createSecretKey, sign } from 'node:crypto'
import { canonicalJson, logEvent } from '@sallyport/contract'
import {
  bundlePath,
  checkpointBody,
  decodeBundle,
  encodeBundle,
  leafHash,
  noteText,
  openCheckpoint,
  openNote,
  parseCheckpointBody,
  parseNote,
  parseProof,
  parseVerifierKey,
  proofText,
  proveInclusion,
  readEntry,
  Tree,
  verifierKeyText,
  verifyLog,
  verifyProof,
} from '@sallyport/contract/log'
import fc from 'fast-check'
import { BatchWriter, readJournal } from '../../../packages/gateway/src/audit/journal.ts'
import { ed25519Signer, nodeLogCrypto } from '../../../packages/gateway/src/audit/log-key.ts'
import { decisionOf, eventNumber, outcomeOf } from '../../fixtures/log-folder.ts'
import { bytesOf, latin1, type Target } from '../target.ts'

/** One small log that is the same in every run: its key is a constant. */
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
})
const signer = ed25519Signer({ privateKey, origin: 'gateway.example/log' }, createSecretKey(createHash('sha256').update('journal').digest()))
const { sha256 } = nodeLogCrypto
const events = [eventNumber(1), decisionOf('r1', 2), decisionOf('r2', 3, 'deny'), outcomeOf('r1', 1, 4), eventNumber(5)]
const entries = events.map((event) => bytesOf(canonicalJson(logEvent.parse(event))))
const hashes = entries.map((entry) => leafHash(sha256, entry))
const tree = new Tree(sha256, () => undefined)
for (const hash of hashes) tree.append(hash)
const root = tree.root()
const body = checkpointBody({ origin: signer.key.name, size: entries.length, root })
const checkpoint = signed(body)
const bundle = encodeBundle(entries)
const leaves = Buffer.concat(hashes)

function signed(text: string): string {
  const { name, keyId } = signer.key
  return noteText(text, [{ name, keyId, signature: sign(null, bytesOf(text), privateKey) }])
}

const noteWords = ['\n', '\n\n', '\u2014 ', `\u2014 ${signer.key.name} `, 'gateway.example/log', '+', '=', '==', 'AAAA', '\u00a0', '\x00', '\r'].map((word) =>
  latin1(bytesOf(word)),
)
const texts = [body, `${body}extension\n`, 'any text\n', '\n\n']

/** A note has one spelling, and opens only with a text that the key has signed. */
export const noteTarget: Target = {
  name: 'log-note',
  inputs: fc.constantFrom(...texts.map((text) => bytesOf(signed(text))), bytesOf(verifierKeyText(signer.key))),
  words: noteWords,
  bytesMax: 2048,
  check(input) {
    const text = Buffer.from(input).toString('utf8')
    const note = parseNote(text)
    if (note) {
      assert.equal(noteText(note.body, note.signatures), text)
      assert.ok(note.body.endsWith('\n') && note.signatures.length > 0)
    }
    const opened = openNote(text, signer.key, nodeLogCrypto)
    if (opened.kind === 'opened') assert.ok(texts.includes(opened.body), 'a text was opened that nobody signed')
    const key = parseVerifierKey(text, sha256)
    if (key) assert.equal(verifierKeyText(key), text)
  },
}

/** A checkpoint's three lines have one spelling each, and an opened one is one that was signed. */
export const checkpointTarget: Target = {
  name: 'log-checkpoint',
  inputs: fc.constantFrom(...texts, ...texts.map(signed)).map(bytesOf),
  words: [...noteWords, '0', '9007199254740992', '-1'],
  bytesMax: 2048,
  check(input) {
    const text = Buffer.from(input).toString('utf8')
    const read = parseCheckpointBody(text)
    if (read) {
      const head = checkpointBody(read)
      assert.ok(text.startsWith(head))
      assert.match(text.slice(head.length), /^(?:[^\n]+\n)*$/)
    }
    const opened = openCheckpoint(text, signer.key, nodeLogCrypto)
    if (opened.kind === 'opened') assert.deepEqual(opened.checkpoint, { origin: signer.key.name, size: entries.length, root: Uint8Array.from(root) })
  },
}

const proofs = await Promise.all(
  entries.map(async (_, index) => {
    const path = await proveInclusion(sha256, (height, at) => Promise.resolve(subtree(height, at)), index, entries.length)
    return proofText({ index, hashes: path, checkpoint })
  }),
)

function subtree(height: number, index: number): Uint8Array {
  const own = new Tree(sha256, () => undefined)
  for (const hash of hashes.slice(index * 2 ** height, (index + 1) * 2 ** height)) own.append(hash)
  return own.root()
}

/** A proof has one spelling, and proves of an entry nothing but its own place. */
export const proofTarget: Target = {
  name: 'log-proof',
  inputs: fc.constantFrom(...proofs.map(bytesOf)),
  words: [...noteWords, 'c2sp.org/tlog-proof@v1\n', 'index 0\n', 'index 1\n', 'extra AAAA\n', 'A'.repeat(43) + '=\n'],
  bytesMax: 4096,
  check(input) {
    const text = Buffer.from(input).toString('utf8')
    const proof = parseProof(text)
    if (proof) assert.equal(proofText(proof), text.replace(/^(.*\n)extra .*\n/, '$1'))
    for (const [index, entry] of entries.entries()) {
      const proved = verifyProof(text, entry, signer.key, nodeLogCrypto)
      if (proved.kind === 'proved') assert.deepEqual([proved.index, proved.checkpoint.size], [index, entries.length])
    }
  },
}

const files = { bundle: bundlePath(0, entries.length), leaves: `tile/0/000.p/${entries.length}` }

/** Whatever stands in one file of a log, it is either told apart or the log reads as it was written. The first byte says which file. */
export const logTarget: Target = {
  name: 'log-tiles',
  inputs: fc.constantFrom(Buffer.concat([Buffer.from('b'), bundle]), Buffer.concat([Buffer.from('l'), leaves]), Buffer.from(`c${checkpoint}`)),
  words: [...noteWords, '\x00\x00', '\x00\x01a', '\xff\xff'],
  bytesMax: 4096,
  async check(input) {
    const file = input.subarray(1)
    const which = latin1(input.subarray(0, 1))
    const found = await verifyLog(
      {
        checkpoint: () => Promise.resolve(which === 'c' ? Buffer.from(file).toString('utf8') : checkpoint),
        tile: (path) =>
          Promise.resolve(path === files.bundle ? (which === 'b' ? file : bundle) : path === files.leaves ? (which === 'l' ? file : leaves) : undefined),
      },
      signer.key,
      nodeLogCrypto,
    )
    if (found.kind === 'verified') {
      assert.deepEqual([found.size, found.root], [entries.length, Buffer.from(root).toString('base64')])
      if (which === 'b') assert.deepEqual(decodeBundle(file, entries.length).map(latin1), entries.map(latin1))
    }
    const decoded = decodeBundle(file, 256)
    const again = encodeBundle(decoded)
    assert.deepEqual(Buffer.from(file.subarray(0, again.length)), Buffer.from(again))
  },
}

/** An entry that is taken for an event is canonical JSON to everyone, and reads the same again. */
export const entryTarget: Target = {
  name: 'log-entry',
  inputs: fc.constantFrom(...entries, bytesOf('{"time":"2026-01-31T00:00:00.000Z","type":"newer","v":1}')),
  words: ['"v":1', '"type":"decision"', '"type":"newer"', '"time":"2026-01-01T00:00:00.000Z"', ',', '{', '}', '"', 'null', '-1', '1e3', ' '],
  bytesMax: 4096,
  check(input) {
    const read = readEntry(input)
    if (read.kind === 'flawed') return assert.ok(read.reason.length > 0)
    const text = Buffer.from(input).toString('utf8')
    if (read.kind === 'event') assert.equal(canonicalJson(logEvent.parse(JSON.parse(text))), text)
    assert.equal(new Date(read.kind === 'event' ? read.event.time : read.time).toISOString(), read.kind === 'event' ? read.event.time : read.time)
  },
}

const firstIndex = 3
const batches = [entries.slice(0, 2), entries.slice(2, 3), entries.slice(3)]
const journal = journalOf(batches)
const written = entries.map((entry, at) => [firstIndex + at, latin1(entry)])
const foreign = journalOf([[bytesOf('{"of":"another segment"}')]])

function journalOf(parts: readonly (readonly Uint8Array[])[]): Uint8Array {
  const writer = new BatchWriter(signer.authenticate)
  let index = firstIndex
  return Buffer.concat(
    parts.map((part) => {
      for (const entry of part) writer.add(entry)
      const batch = Buffer.from(writer.finish(index))
      index += part.length
      return batch
    }),
  )
}

/** Whatever was done to a segment, recovery takes a beginning of what was written with the key and nothing else; a cut is never taken for damage. */
export const journalTarget: Target = {
  name: 'log-journal',
  inputs: fc.constantFrom(journal, foreign),
  words: ['\x01SP\x03', '\x00\x00\x00\x01', '\x00\x00\x00\x00\x00\x00\x00\x03', '\xff\xff\xff\xff'],
  bytesMax: 8192,
  check(input) {
    const segment = Uint8Array.from(input)
    const read = readJournal(segment, firstIndex, signer.authenticate)
    const taken = read.entries.map(({ index, bytes }) => [index, latin1(bytes)])
    const isForeign = taken[0]?.[1] === '{"of":"another segment"}'
    assert.deepEqual(taken, isForeign ? [[firstIndex, '{"of":"another segment"}']] : written.slice(0, taken.length))
    assert.ok(read.wholeBytes <= segment.length && (read.end === 'whole') === (read.wholeBytes === segment.length))
    const whole = readJournal(segment.subarray(0, read.wholeBytes), firstIndex, signer.authenticate)
    assert.deepEqual([whole.end, whole.entries.length], ['whole', taken.length])
    if (Buffer.from(journal).subarray(0, segment.length).equals(segment)) assert.match(read.end, /^(?:whole|torn)$/)
    const trusting = readJournal(segment, firstIndex)
    assert.ok(trusting.entries.length >= taken.length && trusting.end !== 'forged')
    assert.deepEqual(
      trusting.entries.map(({ index }) => index),
      trusting.entries.map((_, at) => firstIndex + at),
    )
  },
}
