import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assert as check, property } from 'fast-check'
import { examples } from '../../../../../test/fixtures/findings.ts'
import { detectors, detectorsNamed, suggestDetector } from './catalog.ts'
import { scan } from './scan.ts'

for (const detector of detectors) {
  const { yes, no, before = '' } = examples[detector.name] ?? assert.fail(`no examples of ${detector.name}`)
  test(`${detector.name} is found as a whole, and what only looks like it is not`, () => {
    for (const [left, right] of [
      ['', ''],
      ['see ', ' there'],
      ['("', '");'],
      ['\n', '\n'],
    ] as const) {
      check(
        property(yes, (secret) => {
          const from = left.length + before.length
          const found = scan(`${left}${before}${secret}${right}`, 0, true, [detector]).findings
          assert.deepEqual(found, [{ detector, start: from, end: from + secret.length }])
        }),
        { numRuns: 25 },
      )
      check(
        property(no, (other) => assert.deepEqual(scan(`${left}${before}${other}${right}`, 0, true, [detector]).findings, [])),
        { numRuns: 25 },
      )
    }
  })
}

const published: readonly (readonly [detector: string, text: string])[] = [
  ['secret/github-token', ['ghp', 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17'].join('_')], // revoked and published by its owner
  ['secret/aws-access-key-id', 'AKIAIOSFODNN7EXAMPLE'], // AWS General Reference
  ['secret/aws-secret-key', 'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  ['secret/aws-secret-key', 'AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  ['secret/aws-secret-key', '{"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}'],
  ['secret/jwt', 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'],
  ['personal/credit-card', '4111 1111 1111 1111'],
  ['personal/credit-card', '378282246310005'],
  ['personal/credit-card', '30569309025904'],
  ['personal/credit-card', '5555-5555-5555-4444'],
  ['personal/credit-card', '6011111111111117'],
  ['personal/credit-card', '3530111333300000'],
  ['personal/iban', 'DE89 3704 0044 0532 0130 00'], // IBAN Registry
  ['personal/iban', 'GB29NWBK60161331926819'],
  ['personal/iban', 'MT84MALT011000012345MTLCAST001S'],
]
for (const [name, text] of published) {
  test(`${name} is found in ${text.slice(0, 30)}`, () => assert.equal(scan(text, 0, true, detectorsNamed(name) ?? []).findings.length, 1))
}

test('a group leaves out what must be named, and a name that is none has a suggestion', () => {
  const inGroup = (group: string): readonly string[] => (detectorsNamed(group) ?? []).map(({ name }) => name)
  assert.ok(inGroup('secret').length > 15 && !inGroup('secret').includes('secret/high-entropy'))
  assert.ok(inGroup('personal').length > 4 && !inGroup('personal').includes('personal/ipv4'))
  assert.equal(detectorsNamed('secret/high-entropy')?.length, 1)
  assert.equal(detectorsNamed('secrets'), undefined)
  assert.equal(suggestDetector('secret/github-tokn'), "did you mean 'secret/github-token'?")
})

test('docs/dlp.md explains every detector, no other, and says the same of how sure each is', () => {
  const page = readFileSync(new URL('../../../../../docs/dlp.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `((?:secret|personal)\/[a-z0-9-]+)` +\| ([a-z ,]+?) +\|/gm)].map(([, name = '', sure = '']) => [name, sure] as const)
  assert.deepEqual(
    rows.map(([name, sure]) => [name, sure.startsWith('sure'), sure.includes('by name only')]),
    detectors.map(({ name, isSure, isByNameOnly }) => [name, isSure, isByNameOnly]),
  )
})
