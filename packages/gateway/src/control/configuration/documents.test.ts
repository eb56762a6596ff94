import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationJsonSchema, durationMs, sizeBytes } from '@sallyport/contract'
import { defaultEdgeLimits } from '../../edge/limits.ts'
import { compilePolicy } from '../../policy/snapshot.ts'
import { formatFault } from './configuration-fault.ts'
import { findUnboundedUse } from './find-unbounded-use.ts'
import { readConfiguration } from './read-configuration.ts'

const documentAt = (name: string): string => readFileSync(new URL(`../../../../../docs/${name}`, import.meta.url), 'utf8')

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

/** Every field that holds a value, as the document writes it: `upstreams.*.url`, `rules[].id`. */
function fieldsOf(schema: Schema, path: string): readonly string[] {
  const { properties, additionalProperties, items, anyOf } = schema
  const isGroup = (part: Schema): boolean => part.properties !== undefined || (part.anyOf ?? []).some(isGroup)
  if (anyOf?.some(isGroup)) return anyOf.flatMap((branch) => fieldsOf(branch, path))
  if (properties) return Object.entries(properties).flatMap(([name, below]) => fieldsOf(below, path === '' ? name : `${path}.${name}`))
  if (items && isGroup(items)) return [path, ...fieldsOf(items, `${path}[]`)]
  if (typeof additionalProperties === 'object' && isGroup(additionalProperties)) return [path, ...fieldsOf(additionalProperties, `${path}.*`)]
  return [path]
}

const rows = documentAt('configuration.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
const documented = rows.flatMap(([, names = '']) => [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))

test('docs/configuration.md names every field of the schema, and no other', () => {
  const groups = ['limits', 'rules[].match']
  const known = new Set(fieldsOf(configurationJsonSchema(), ''))
  assert.deepEqual(documented.filter((field) => !groups.includes(field)).toSorted(), [...known].toSorted())
})

test('docs/configuration.md gives the defaults of the limits', () => {
  const given = new Map(rows.flatMap(([, name = '', value = '']) => (name.startsWith('`limits.') ? [[name.slice(8, -1), value.slice(1, -1)] as const] : [])))
  const { connections, connectionsPerAgent, requestsInFlight, headBytes, headerCount, bodyBytes, handshakeMs, headMs, bodyMs, keepAliveMs, drainMs } =
    defaultEdgeLimits
  const numbers = { connections, connectionsPerAgent, requestsInFlight, headerCount }
  for (const [name, value] of Object.entries(numbers)) assert.equal(given.get(name), String(value), name)
  for (const [name, value] of Object.entries({ headBytes, bodyBytes })) assert.equal(sizeBytes(given.get(name) ?? ''), value, name)
  const times = { handshake: handshakeMs, head: headMs, body: bodyMs, keepAlive: keepAliveMs, drain: drainMs }
  for (const [name, value] of Object.entries(times)) assert.equal(durationMs(given.get(name) ?? ''), value, name)
})

for (const [document, atLeast, upstreams] of [
  ['policy.md', 4, ['crm', 'payments', 'ci', 'files', 'shop']],
  ['llm.md', 3, ['openai', 'anthropic']],
  ['dlp.md', 1, ['mail', 'crm']],
] as const) {
  test(`every example of docs/${document} is valid`, () => {
    const examples = [...documentAt(document).matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => text)
    assert.ok(examples.length >= atLeast)
    for (const example of examples) {
      const read = readConfiguration({ text: `version: 1\ntrustDomain: agents.example.com\n${example}`, fileName: document })
      assert.ok(read.kind === 'read', read.kind === 'invalid' ? read.faults.map(formatFault).join('\n') : '')
      const { rules, quotas, results } = read.configuration
      assert.deepEqual(findUnboundedUse(read.configuration), [])
      const compiled = compilePolicy(rules, quotas, { upstreams }, results)
      assert.equal(compiled.kind, 'compiled', JSON.stringify(compiled))
    }
  })
}
