import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { nothingObserved, observeFile, type Observed, type Span } from './foreign-log.ts'
import { readMapping } from './mapping.ts'

const mapping = readMapping(
  `version: 1
time: { field: ts }
session: session.id
agent: who
refresh: { event: token.refreshed, ok: true }
validation: { event: [session.validated, session.proved] }
within: 30s
`,
  'mapping.yaml',
)
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }

async function observe(text: string | Uint8Array, span: Span = always, name = 'log.jsonl', by = mapping): Promise<Observed> {
  const file = join(mkdtempSync(join(tmpdir(), 'sallyport-hunt-')), name)
  writeFileSync(file, text)
  const observed = nothingObserved()
  await observeFile(observed, file, by, span)
  return observed
}

const line = (fields: object): string => `${JSON.stringify({ ts: '2026-11-25T10:00:00Z', session: { id: 's1' }, ...fields })}\n`

test('refreshes and validations are told apart by what their fields say, and other lines are left alone', async () => {
  const observed = await observe(
    line({ event: 'token.refreshed', ok: true, who: 'bot' }) +
      line({ event: 'token.refreshed', ok: false }) +
      line({ event: 'session.proved' }) +
      line({ event: 'x' }),
  )
  assert.deepEqual(
    observed.refreshes.map(({ at, key, agent }) => [at, key, agent]),
    [[Date.parse('2026-11-25T10:00:00Z'), 's1', 'bot']],
  )
  assert.equal(observed.validations.length, 1)
  assert.deepEqual([observed.lines, observed.unreadable], [4, 0])
})

test('a packed log is read as what is in it', async () => {
  assert.equal((await observe(gzipSync(line({ event: 'token.refreshed', ok: true })), always, 'log.jsonl.gz')).refreshes.length, 1)
})

test('what cannot be read is counted and shown: no JSON, no time, a line without end', async () => {
  const observed = await observe(
    `nonsense\n[1]\n${line({ event: 'session.proved', ts: 'yesterday' })}${line({ event: 'session.proved', ts: '2026-11-25T10:00:00' })}"${'x'.repeat(2_000_000)}"\n${line({ event: 'session.proved' })}`,
  )
  assert.equal(observed.unreadable, 5)
  assert.match(observed.examples.join('\n'), /:1: not a JSON object[^]*:3: no time of the format iso in ts/)
  assert.equal(observed.validations.length, 1, 'the line after the endless one is read')
})

test('a refresh that names no session is not passed over', async () => {
  const observed = await observe(line({ event: 'token.refreshed', ok: true, session: {} }))
  assert.match(observed.withoutSession.join(), /log\.jsonl:1$/)
})

test('validations count from as far before the span as they may lie from a refresh', async () => {
  const at = Date.parse('2026-11-25T10:00:00Z')
  const text = line({ event: 'token.refreshed', ok: true }) + line({ event: 'session.proved' })
  const later = await observe(text, { from: at + 30_000, to: at + 60_000 })
  assert.deepEqual([later.refreshes.length, later.validations.length], [0, 1])
  assert.equal((await observe(text, { from: at + 30_001, to: at + 60_000 })).validations.length, 0)
})

test('names of members that every object has are no fields', async () => {
  const inherited = readMapping('version: 1\ntime: { field: ts }\nsession: constructor.name\nrefresh: { event: a }\nvalidation: { event: b }\n', 'm')
  assert.equal((await observe(line({ event: 'a' }), always, 'log', inherited)).withoutSession.length, 1)
})

test('times are read as seconds or milliseconds too', async () => {
  for (const [format, ts] of [
    ['seconds', '1764064800.5'],
    ['milliseconds', 1764064800500],
  ]) {
    const by = readMapping(`version: 1\ntime: { field: ts, format: ${format} }\nsession: session.id\nrefresh: { event: a }\nvalidation: { event: b }\n`, 'm')
    assert.equal((await observe(line({ event: 'a', ts }), always, 'log', by)).refreshes[0]?.at, 1764064800500)
  }
})

test('a mapping that does not fit says what does not', () => {
  assert.throws(() => readMapping('version: 1\nrefresh: {}\n', 'm.yaml'), /m\.yaml is no mapping:[^]*time[^]*session/)
  assert.throws(() => readMapping('version: 1\nversion: 1\n', 'm.yaml'), /m\.yaml: Map keys must be unique/)
})
