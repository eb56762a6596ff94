// HTTP parameter pollution: a condition sees one of two values, or a list where it expects a text, and the server takes the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { judgedHttp } from '../fixtures/judged-http.ts'

const rules: readonly RuleConfiguration[] = [
  { id: 'things', match: { action: ['delete_thing', 'unlisted'] }, then: 'permit' },
  { id: 'no-force', match: {}, when: 'has(args.query.force) && args.query.force == "true"', then: 'deny' },
]
const operations = [{ name: 'delete_thing', method: 'DELETE' as const, path: '/things/{id}', lists: ['tag'] }]
const ask = judgedHttp(rules, { operations })

test('the parameter is denied when it comes once', async () => {
  for (const path of ['/things/1', '/others/1']) {
    assert.equal(await ask({ method: 'DELETE', path, query: 'force=true' }), 'policy.denied')
    assert.equal(await ask({ method: 'DELETE', path, query: 'force=false' }), 'permit')
  }
})

for (const query of ['force=true&force=true', 'force=false&force=true', 'force[]=true', 'force[0]=true', 'force=false&Force=true', 'force=false&FORCE=true']) {
  test(`${query} does not pass the condition as something else`, async () => {
    for (const path of ['/things/1', '/others/1']) assert.equal(await ask({ method: 'DELETE', path, query }), 'access.malformed')
  })
}

test('a parameter that its operation declares as a list may be repeated', async () => {
  assert.equal(await ask({ method: 'DELETE', path: '/things/1', query: 'tag=a&tag=b' }), 'permit')
  assert.equal(await ask({ method: 'DELETE', path: '/others/1', query: 'tag=a&tag=b' }), 'access.malformed')
})
