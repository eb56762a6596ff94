import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileMatch, dimensions, matchesSubject } from './match.ts'
import { MatchIndex } from './match-index.ts'

const names = fc.constantFrom('a', 'b', 'ab')
const patterns = fc.constantFrom('a', 'b', 'ab', '*', 'a*')
const field = fc.option(fc.oneof(patterns, fc.array(patterns, { minLength: 1, maxLength: 3 })), { nil: undefined })
const match = fc.record({ tenant: field, agent: field, upstream: field, action: field })
const configurations = fc.array(match, { maxLength: 12 })
const subject = fc.record({ tenant: names, agent: names, upstream: names, action: names })

type Fields = typeof match extends fc.Arbitrary<infer Value> ? Value : never

function compileAll(given: readonly Fields[]): { match: ReturnType<typeof compileMatch>; id: number }[] {
  return given.map((fields, id) => ({ match: compileMatch(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))), id }))
}

test('the index finds exactly the items that match, in their order', () => {
  fc.assert(
    fc.property(configurations, subject, (given, asked) => {
      const items = compileAll(given)
      const found = new MatchIndex(items, dimensions).candidates(asked)
      assert.deepEqual(
        found.filter((item) => matchesSubject(item.match, asked)).map(({ id }) => id),
        items.filter((item) => matchesSubject(item.match, asked)).map(({ id }) => id),
      )
    }),
  )
})

test('a rule for another agent is not even looked at', () => {
  const items = Array.from({ length: 1000 }, (_, id) => ({ match: compileMatch({ agent: `agent-${id}`, upstream: 'crm' }), id }))
  const index = new MatchIndex(items, dimensions)
  assert.deepEqual(
    index.candidates({ tenant: 't', agent: 'agent-7', upstream: 'crm', action: 'x' }).map(({ id }) => id),
    [7],
  )
})
