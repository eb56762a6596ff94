// Many servers do not care about case, a final slash or dots at the end of a segment. A path that is another one for the rules and the same for the server evades them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { judgedHttp } from '../fixtures/judged-http.ts'

const operations = [
  { name: 'list_things', method: 'GET', path: '/things' },
  { name: 'delete_thing', method: 'DELETE', path: '/things/{id}' },
  { name: 'delete_report', method: 'DELETE', path: '/Reports/report-{id}.csv' },
  { name: 'delete_all', method: 'DELETE', path: '/things/' },
] as const
const noDeletes: RuleConfiguration = { id: 'no-deletes', match: { upstream: 'crm', action: 'delete_*' }, then: 'deny' }
const everything: RuleConfiguration = { id: 'everything', match: { upstream: 'crm', action: ['*', 'unlisted'] }, then: 'permit' }

for (const path of [
  '/Things/1',
  '/THINGS/1',
  '/things/1/',
  '/things./1',
  '/things%20/1',
  '/%54hings/1',
  '/thing%C5%BF/1', // the long s
  '/%EF%BD%94hings/1', // a full-width t
  '/reports/report-1.csv',
  '/Reports/REPORT-1.CSV',
  '/Reports/report-1.csv/',
]) {
  test(`a delete at ${path} is not another call than the one that is denied`, async () => {
    const ask = judgedHttp([noDeletes, everything], { operations: [...operations] })
    assert.equal(await ask({ method: 'DELETE', path }), 'access.malformed')
  })
}

test('paths that operations name exactly are judged by their names, others as unlisted', async () => {
  const ask = judgedHttp([noDeletes, everything], { operations: [...operations] })
  assert.equal(await ask({ method: 'DELETE', path: '/things/1' }), 'policy.denied')
  assert.equal(await ask({ method: 'DELETE', path: '/things/' }), 'policy.denied')
  assert.equal(await ask({ method: 'GET', path: '/things' }), 'permit')
  assert.equal(await ask({ method: 'GET', path: '/things/1' }), 'permit')
  assert.equal(await ask({ method: 'DELETE', path: '/others/1' }), 'permit')
})
