// A deny names what must not happen; a permit with a star lets through the rest. A path that no operation describes may lead to the very thing that is denied.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { judgedHttp } from '../fixtures/judged-http.ts'

const operations = [{ name: 'delete_thing', method: 'DELETE' as const, path: '/things/{id}' }]
const noDeletes: RuleConfiguration = { id: 'no-deletes', match: { action: 'delete_*' }, then: 'deny' }
const undescribed = { method: 'DELETE', path: '/v1/things/1.json' }

for (const action of ['*', '**', 'un*', ['delete_thing', '*'], undefined]) {
  const match = action === undefined ? {} : { action }
  test(`a permit of ${JSON.stringify(action ?? 'every action')} does not cover calls that fit no operation`, async () => {
    const ask = judgedHttp([noDeletes, { id: 'all', match, then: 'permit' }], { operations })
    assert.equal(await ask(undescribed), 'policy.no-rule')
  })

  test(`a deny or hold of ${JSON.stringify(action ?? 'every action')} covers them`, async () => {
    const named: RuleConfiguration = { id: 'named', match: { action: 'unlisted' }, then: 'permit' }
    for (const [then, expected] of [
      ['deny', 'policy.denied'],
      ['hold', 'hold'],
    ] as const)
      assert.equal(await judgedHttp([named, { id: 'strict', match, then }], { operations })(undescribed), expected)
  })
}

test('a permit that names unlisted covers them, beside a star too', async () => {
  for (const action of ['unlisted', ['*', 'unlisted']])
    assert.equal(await judgedHttp([noDeletes, { id: 'all', match: { action }, then: 'permit' }], { operations })(undescribed), 'permit')
})
