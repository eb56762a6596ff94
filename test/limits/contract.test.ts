import { canonicalJson, parseJson } from '@sallyport/contract'
import { encodeBundle, noteText, parseNote, parseProof, proofText, readEntry } from '@sallyport/contract/log'
import { testBound } from './bound.ts'

testBound('contract/json.ts', 'jsonLimits.bytesMax', (size) => parseJson(`"${'a'.repeat(size - 2)}"`).kind === 'parsed')
testBound('contract/json.ts', 'jsonLimits.depthMax', (size) => parseJson('['.repeat(size) + ']'.repeat(size)).kind === 'parsed')

const signature = { name: 'log.example', keyId: '01020304', signature: new Uint8Array(64) }
testBound('contract/log/note.ts', 'noteUnitsMax', (size) => {
  const bare = noteText('\n', [signature])
  return parseNote(noteText(`${'a'.repeat(size - bare.length)}\n`, [signature])) !== undefined
})
testBound(
  'contract/log/note.ts',
  'noteSignaturesMax',
  (size) =>
    parseNote(
      noteText(
        'a\n',
        Array.from({ length: size }, () => signature),
      ),
    ) !== undefined,
)
testBound('contract/log/proof.ts', 'hashesMax', (size) => {
  const hashes = Array.from({ length: size }, () => new Uint8Array(32))
  return parseProof(proofText({ index: 0, hashes, checkpoint: '' })) !== undefined
})
testBound('contract/log/tile.ts', 'entryBytesMax', (size) => {
  try {
    return encodeBundle([new Uint8Array(size)]).length === 2 + size
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
})

const admin = { act: 'agent.enrolled', time: '2026-01-01T00:00:00.000Z', type: 'admin', v: 1 }
testBound('contract/log/entry-check.ts', 'entryLimits.bytesMax', (size) => {
  const bare = canonicalJson({ ...admin, subject: { text: '' } }).length
  return readEntry(Buffer.from(canonicalJson({ ...admin, subject: { text: 'a'.repeat(size - bare) } }))).kind === 'event'
})
testBound('contract/log/entry-check.ts', 'entryLimits.depthMax', (size) => {
  const nested = '{"a":'.repeat(size - 2) + '1' + '}'.repeat(size - 2)
  const entry = readEntry(Buffer.from(`{"act":"x","subject":{"a":${nested}},"time":"2026-01-01T00:00:00.000Z","type":"admin","v":1}`))
  return !(entry.kind === 'flawed' && /nested too deeply/.test(entry.reason))
})
