import assert from 'node:assert/strict'
import test from 'node:test'
import { configuration } from '@sallyport/contract'
import { findOpenPages } from './find-open-pages.ts'

const faults = (sessions: object): readonly string[] =>
  findOpenPages(configuration.parse({ version: 1, trustDomain: 'agents.example', sessions })).map(({ where, message }) => `${where.join('.')}: ${message}`)

test('login pages go without encryption on this host alone, and stand at the root of their host', () => {
  for (const fine of [
    {},
    { listen: '127.0.0.1:8446' },
    { listen: '[::1]:8446', publicUrl: 'http://127.0.0.1:8446' },
    { listen: '0.0.0.0:8446', publicUrl: 'https://login.example' },
    { listen: 'off', publicUrl: 'http://login.example' },
  ])
    assert.deepEqual(faults(fine), [])
  assert.match(faults({ listen: '0.0.0.0:8446' }).join(), /^sessions\.listen: 0\.0\.0\.0 is open to others/)
  assert.match(faults({ publicUrl: 'http://login.example' }).join(), /^sessions\.publicUrl: http:\/\/login\.example is not encrypted/)
  assert.match(faults({ publicUrl: 'https://login.example/pages' }).join(), /^sessions\.publicUrl: the pages are at the root/)
})
