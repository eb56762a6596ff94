// A replacement inside of a JSON text could leave half an escape or a bare word behind, and an agent that cannot read the answer asks for it in other ways.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResultRuleConfiguration } from '@sallyport/contract'
import { assert as check, array, asyncProperty, constantFrom, jsonValue, tuple } from 'fast-check'
import { credential, redacted, seeAnswer } from '../fixtures/results.ts'

const redactAll: ResultRuleConfiguration = { id: 'all', match: {}, detect: ['secret', 'personal'], then: 'redact' }
const card = 4111111111111111

test('escaped letters do not hide a credential, and none is left in half', async () => {
  const escaped = `\\u0067${credential.slice(1)}`
  for (const [written, expected] of [
    [`{"t":"${escaped}"}`, { t: redacted }],
    [`{"t":"\\u0022${escaped}\\u0022"}`, { t: `"${redacted}"` }],
    [`{"t":"a\\\\${credential}\\\\b"}`, undefined],
    [`{"t":"\\n${credential}\\n"}`, undefined],
    [`{"mail":"\\nme@example.com\\n"}`, undefined],
    [`{"t":${JSON.stringify(JSON.stringify({ a: `\n${credential}"` }))}}`, undefined],
  ] as const) {
    for (const pieces of [[written], [...written]]) {
      const { body } = await seeAnswer({ pieces }, [redactAll])
      const value: unknown = JSON.parse(body)
      if (expected) assert.deepEqual(value, expected)
      assert.match(body, /\[redacted /)
      assert.doesNotMatch(body, /zQWBu|example\.com/)
    }
  }
})

test('a number that is found becomes a string', async () => {
  const { body } = await seeAnswer({ pieces: [`{"card":${card},"list":[1,-${card},${card}.0,`, `${card}],"text":"${card}"}`] }, [redactAll])
  const text = '[redacted personal/credit-card]'
  const { card: one, list, text: other } = JSON.parse(body)
  assert.deepEqual([one, list[0], list.at(-1), other], [text, 1, text, text])
})

test('whatever the answer says, what was JSON stays JSON', async () => {
  const findings = constantFrom(
    credential,
    'me@example.com',
    String(card),
    JSON.stringify({ k: `\t${credential}\\` }),
    `\\${credential}`,
    '\\u006eme@example.com',
  )
  await check(
    asyncProperty(array(tuple(findings, jsonValue(), constantFrom(card, 1)), { minLength: 1, maxLength: 5 }), async (values) => {
      const text = JSON.stringify(values).replaceAll(/[a-f]/g, (letter) => (letter === 'c' ? '\\u0063' : letter))
      const sent = text.includes('\\\\u0063') ? JSON.stringify(values) : text
      const { body } = await seeAnswer({ pieces: sent.match(/[^]{1,50}/g) ?? [] }, [redactAll])
      assert.doesNotThrow(() => JSON.parse(Buffer.from(body, 'latin1').toString('utf8')), body)
      assert.doesNotMatch(body, /zQWBu/)
    }),
    { numRuns: 40 },
  )
})
