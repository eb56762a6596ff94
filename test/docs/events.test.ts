import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { eventJsonSchema, logEvent } from '@sallyport/contract'
import { readEntry } from '@sallyport/contract/log'
import { z } from 'zod'
import { eventPage, eventTypes } from '../../checks/event-page.ts'
import { operator } from '../fixtures/operator.ts'

/** Two entries of each type as 0.1.0 wrote them: one with the members that must be there, one with all. Never changed: new versions add files. */
const written = readFileSync('test/fixtures/entries-0.1.0.jsonl', 'utf8').trimEnd().split('\n')

test('docs/events.md is what the schemas of the events say', () => {
  assert.equal(readFileSync('docs/events.md', 'utf8'), eventPage(), 'make it anew: npm run docs:events')
})

test('every type of entry and every member of it, however deep, says what it means', () => {
  const types = eventTypes()
  assert.deepEqual(new Set(types.map(({ type }) => type)), new Set(logEvent.options.map(({ shape }) => shape.type.value)))
  const silent = types.flatMap(({ type, meaning, members }) => [
    ...((meaning ?? '') === '' ? [type] : []),
    ...members.filter((member) => (member.meaning ?? '') === '').map(({ path }) => `${type} ${path}`),
  ])
  assert.deepEqual(silent, [])
})

test('entries that the first version wrote are still read, with and without their optional members', () => {
  for (const line of written) assert.equal(readEntry(Buffer.from(line)).kind, 'event', line)
  const types = eventTypes()
  for (const { type, members, since } of types.filter((one) => one.since === '0.1.0')) {
    const entries = written.map((line): unknown => JSON.parse(line)).filter((entry) => z.object({ type: z.string() }).parse(entry).type === type)
    const seen = new Set(entries.flatMap((entry) => pathsOf(entry)))
    const unseen = members.filter((member) => member.since === since && !seen.has(member.path))
    assert.deepEqual(
      unseen.map(({ path }) => path),
      [],
      `${type}: new members say since when`,
    )
  }
})

test('the JSON Schema takes these entries, and those of a later version with further members', () => {
  const read = z.fromJSONSchema(z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(eventJsonSchema()))))
  for (const line of written) {
    assert.ok(read.safeParse(JSON.parse(line)).success, line)
    assert.ok(read.safeParse({ ...JSON.parse(line), later: { member: 1 } }).success, line)
  }
  assert.equal(read.safeParse({ v: 1, type: 'decision' }).success, false)
})

test('log schema prints it', async () => {
  const { stdout, code } = await operator({ configurationFile: 'unused', data: 'unused' }, ['log', 'schema'])
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(eventJsonSchema())))
})

function pathsOf(value: unknown, prefix = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${prefix.slice(0, -1)}[].`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => [`${prefix}${name}`, ...pathsOf(member, `${prefix}${name}.`)])
}
