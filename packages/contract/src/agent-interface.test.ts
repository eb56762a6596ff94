import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProblemDocument } from './agent-interface.ts'
import { problemDocument, problems, type ProblemCode } from './problem.ts'

const instance = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'

test('every problem that can be written can be read', () => {
  const codes = Object.keys(problems).filter((code): code is ProblemCode => code in problems)
  for (const code of codes) {
    const document = problemDocument({ code, detail: 'x', retryAfterSeconds: 3, approval: { id: 'a', expiresAt: '2026-01-01T00:00:00.000Z' } }, instance)
    assert.deepEqual(parseProblemDocument(JSON.parse(JSON.stringify(document))), document)
    assert.deepEqual(parseProblemDocument(problemDocument({ code }, instance)), problemDocument({ code }, instance))
  }
})

const good = problemDocument({ code: 'policy.denied' }, instance)
for (const [name, value] of Object.entries({
  'another type': { ...good, type: 'about:blank' },
  'an unknown code': { ...good, code: 'policy.unheard-of' },
  'a code of the prototype': { ...good, code: 'constructor' },
  'a status of success': { ...good, status: 200 },
  'a long detail': { ...good, detail: 'x'.repeat(4097) },
  'no object': 'policy.denied',
  nothing: undefined,
})) {
  test(`${name} is no problem document of ours`, () => assert.equal(parseProblemDocument(value), undefined))
}
