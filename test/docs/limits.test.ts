import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { problems } from '@sallyport/contract'
import { formatLimitValue, readLimitValue } from './limit-values.ts'
import { limitsInCode } from './limits-in-code.ts'

interface Row {
  readonly key: string
  readonly name: string
  readonly value: string
  readonly happens: string
  readonly why: string
  readonly test: string
}

const rows = readFileSync('docs/limits.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line): Row => {
    const [limit = '', value = '', , happens = '', why = '', tested = ''] = line.slice(2, -2).split(' | ')
    const [, name = '', file = ''] = /^`([^`]+)`<br>`([^`]+)`$/.exec(limit) ?? []
    return { key: `${file} ${name}`, name, value, happens, why, test: tested }
  })
const inCode = new Map(limitsInCode('.').map(({ file, name, value }) => [`${file} ${name}`, { name, value }]))

test('docs/limits.md has one row for each bound in the code, and no other', () => {
  const keys = rows.map(({ key }) => key)
  const missing = [...inCode].filter(([key]) => !keys.includes(key)).map(([key, { name, value }]) => `${key}: ${formatLimitValue(name, value)}`)
  assert.deepEqual({ missing, stale: keys.filter((key) => !inCode.has(key)) }, { missing: [], stale: [] })
  assert.equal(new Set(keys).size, keys.length, 'a bound has two rows')
})

test('docs/limits.md states the values of the code', () => {
  const wrong = rows.flatMap(({ key, name, value }) => {
    const own = inCode.get(key)?.value
    return own === undefined || readLimitValue(value) === own ? [] : [`${key}: ${value} should be ${formatLimitValue(name, own)}`]
  })
  assert.deepEqual(wrong, [])
})

test('each row of docs/limits.md says what happens and why, with codes that exist and a test that names the bound', () => {
  for (const { key, name, happens, why, test: tested } of rows) {
    assert.ok(happens !== '' && why !== '', key)
    for (const [, code = ''] of happens.matchAll(/`([a-z]+\.[a-z-]+)`/g)) assert.ok(Object.hasOwn(problems, code), `${key}: there is no code ${code}`)
    if (tested === '—') continue
    const path = tested.replaceAll('`', '')
    assert.ok(existsSync(path), `${key}: there is no test ${path}`)
    assert.ok(readFileSync(path, 'utf8').includes(name.split('.').at(-1) ?? name), `${key}: ${path} does not name it`)
  }
})
