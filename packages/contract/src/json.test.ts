import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, parseJson, type Json, type JsonFlaw } from './json.ts'

const limits = { bytesMax: 1000, depthMax: 8 }

function flawOf(text: string | Uint8Array): JsonFlaw | 'none' {
  const parsed = parseJson(text, limits)
  return parsed.kind === 'refused' ? parsed.flaw : 'none'
}

function valueOf(text: string | Uint8Array): Json {
  const parsed = parseJson(text, limits)
  assert.equal(parsed.kind, 'parsed', parsed.kind === 'refused' ? parsed.reason : '')
  return parsed.kind === 'parsed' ? parsed.value : null
}

test('what JSON.parse accepts and this parser accepts is the same value, and nothing else is accepted', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (text) => {
      const parsed = parseJson(text, { bytesMax: 1e6, depthMax: 64 })
      if (parsed.kind === 'parsed') assert.deepEqual(withoutMinusZero(parsed.value), withoutMinusZero(JSON.parse(text)))
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789.eE+-truefalsn\\u \n'), maxLength: 12 }), (text) => {
      if (parseJson(text).kind === 'parsed') JSON.parse(text)
    }),
    { numRuns: 2000 },
  )
})

test('the canonical form of any value parses back to it and is its own canonical form', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      const json = toJson(value)
      if (json === undefined) return
      const text = canonicalJson(json)
      const parsed = parseJson(text, { bytesMax: 1e6, depthMax: 64 })
      assert.equal(parsed.kind, 'parsed', text)
      if (parsed.kind === 'parsed') assert.equal(canonicalJson(parsed.value), text)
    }),
  )
})

test('numbers that a double cannot carry are refused, their neighbours are not', () => {
  const exact = [
    '0',
    '-0',
    '0.1',
    '1e2',
    '1E+2',
    '9007199254740991',
    '-9007199254740991',
    '1.10',
    '100000000000000000e-2',
    '1e21',
    '1.7976931348623157e308',
    '5e-324',
    '0e999',
    '0.30000000000000004',
    '1.5000000000000000000000',
    '123456789012345.6',
  ]
  for (const literal of exact) assert.equal(flawOf(literal), 'none', literal)
  const lossy = [
    '9007199254740992',
    '9007199254740993',
    '-9007199254740992',
    '1e16',
    '18446744073709551615',
    '1000000000000000000000',
    '1e400',
    '-1e400',
    '1e-400',
    '0.1000000000000000055511151231257',
    '0.30000000000000003',
    '4.9406564584124654e-324',
    '1.23456789012345678',
  ]
  for (const literal of lossy) assert.equal(flawOf(literal), 'lossy-number', literal)
})

test('what lies outside the grammar is refused', () => {
  const malformed = [
    '',
    ' ',
    '{',
    '[',
    '[1,]',
    '{"a":1,}',
    '{,}',
    "{'a':1}",
    '{a:1}',
    '{"a"}',
    '{"a":}',
    '01',
    '-',
    '1.',
    '.5',
    '+1',
    '1e',
    '1e+',
    'NaN',
    'Infinity',
    'tru',
    'nul',
    '"',
    '"\u0001"',
    '"\\x"',
    '"\\u12"',
    '"\\u12g4"',
    '1 2',
    '[1 2]',
    '\ufeff1',
    '/**/1',
    '\u00a01',
    '"a\nb"',
    '-01',
    '[1],',
  ]
  for (const text of malformed) assert.equal(flawOf(text), 'malformed', JSON.stringify(text))
})

test('two members of one name are refused, however they are spelled', () => {
  assert.equal(flawOf('{"a":1,"a":1}'), 'duplicate-member')
  assert.equal(flawOf('{"a":1,"b":{},"\\u0061":2}'), 'duplicate-member')
  assert.equal(flawOf('{"__proto__":1,"__proto__":2}'), 'duplicate-member')
  assert.equal(flawOf('{"a":{"a":1},"b":{"a":1}}'), 'none')
  assert.equal(flawOf('{"toString":1,"constructor":2}'), 'none')
})

test('a member called __proto__ is a member and changes no prototype', () => {
  const value = valueOf('{"__proto__":{"isAdmin":true}}')
  assert.ok(typeof value === 'object' && value !== null)
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.deepEqual(Object.keys(value), ['__proto__'])
  assert.equal('isAdmin' in value, false)
  assert.equal(canonicalJson(value), '{"__proto__":{"isAdmin":true}}')
})

test('text that is not Unicode is refused', () => {
  assert.equal(flawOf('"\ud800"'), 'not-unicode')
  assert.equal(flawOf('"\\ud800"'), 'not-unicode')
  assert.equal(flawOf('"\\udc00\\ud800"'), 'not-unicode')
  assert.equal(flawOf('{"\\ud800":1}'), 'not-unicode')
  assert.equal(valueOf('"\\ud83d\\ude00"'), '😀')
  assert.equal(flawOf(Buffer.from([0x22, 0xff, 0x22])), 'not-unicode')
  assert.equal(flawOf(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), 'not-unicode') // an overlong slash
  assert.equal(flawOf(Buffer.from([0xef, 0xbb, 0xbf, 0x31])), 'malformed')
})

test('size and depth end at their limits', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  assert.equal(flawOf(nested(8)), 'none')
  assert.equal(flawOf(nested(9)), 'too-deep')
  assert.equal(flawOf(`"${'x'.repeat(998)}"`), 'none')
  assert.equal(flawOf(`"${'x'.repeat(999)}"`), 'too-large')
  assert.equal(flawOf(`"${'é'.repeat(499)}"`), 'none')
  assert.equal(flawOf(`"${'é'.repeat(500)}"`), 'too-large')
  assert.equal(parseJson('['.repeat(900_000), { bytesMax: 1e6, depthMax: 64 }).kind, 'refused')
})

test('a refusal says where', () => {
  assert.deepEqual(parseJson('{"a": 1e999}'), {
    kind: 'refused',
    flaw: 'lossy-number',
    reason: 'a number cannot be represented exactly (position 6)',
    position: 6,
  })
})

test('the canonical form is that of RFC 8785', () => {
  const text =
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
  assert.equal(
    canonicalJson(JSON.parse(text)),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
  const names = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
  assert.deepEqual(canonicalJson(names).match(/[0-9](?=[,}])/g), ['2', '4', '6', '7', '1', '5', '3'])
  assert.throws(() => canonicalJson(Number.NaN), TypeError)
  assert.throws(() => canonicalJson('\ud800'), TypeError)
})

function withoutMinusZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** The value as this module's type, or undefined where it holds a number or text that the strict parser refuses on purpose. */
function toJson(value: unknown): Json | undefined {
  const parsed = parseJson(JSON.stringify(value), { bytesMax: 1e6, depthMax: 64 })
  return parsed.kind === 'parsed' ? parsed.value : undefined
}
