import assert from 'node:assert/strict'
import { canonicalJson, formatEnrolmentToken, jsonLimits, parseEnrolmentToken, parseJson, parseSpiffeId, type JsonFlaw } from '@sallyport/contract'
import fc from 'fast-check'
import { bytesOf, latin1, type Target } from '../target.ts'

const jsonText = fc.oneof(
  fc.json({ maxDepth: 6 }),
  fc.tuple(fc.json(), fc.nat(4)).map(([text, depth]) => '['.repeat(16 * depth) + text + ']'.repeat(16 * depth)),
  fc.constantFrom(
    '1e21',
    '-0',
    '0.1',
    '123456789012345678',
    '1E400',
    '5e-324',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '{"__proto__":1}',
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
  ),
)

/** What one flaw means to `JSON.parse`, which knows neither depth, duplicates nor lossy numbers. */
const isForJsonParse: Readonly<Record<JsonFlaw, (text: string, isUtf8: boolean) => boolean>> = {
  'too-large': (text) => Buffer.byteLength(text) > jsonLimits.bytesMax,
  'not-unicode': (text, isUtf8) => !isUtf8 || /\\u[dD][89a-fA-F]/.test(text),
  malformed: (text) => parsedOrNot(text) === undefined,
  'too-deep': (text) => (text.match(/[[{]/g) ?? []).length > jsonLimits.depthMax,
  'duplicate-member': (text) => /\{.*:.*,.*"/s.test(text),
  'look-alike-member': (text) => /\{.*"/s.test(text),
  'lossy-number': (text) => /[0-9]/.test(text),
}

/** What is accepted is what `JSON.parse` reads; what is refused as no JSON is none to `JSON.parse` either; the canonical form says the same. */
export const jsonTarget: Target = {
  name: 'contract-json',
  inputs: jsonText.map(bytesOf),
  words: [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    'null',
    'true',
    '\\u0000',
    '\\ud800',
    '\\udc00',
    '\\"',
    '-',
    '.',
    'e',
    'E+',
    '1e309',
    '9007199254740993',
    '"__proto__":',
    '\xef\xbb\xbf',
    '\xed\xa0\x80',
    '\xf0\x9f\x98\x80',
    '\xe2\x80\xa8',
  ],
  bytesMax: 4096,
  check(input) {
    const parsed = parseJson(input)
    const text = Buffer.from(input).toString('utf8')
    const isUtf8 = Buffer.from(text).equals(input)
    if (parsed.kind === 'refused') {
      assert.ok(parsed.position <= text.length)
      return assert.ok(isForJsonParse[parsed.flaw](text, isUtf8), parsed.reason)
    }
    assert.ok(isUtf8)
    const theirs = parsedOrNot(text)?.value
    assert.equal(JSON.stringify(parsed.value), JSON.stringify(theirs))
    assert.deepEqual(parsed, parseJson(text))
    const canonical = canonicalJson(parsed.value)
    assert.deepEqual(parseJson(canonical), parsed)
    assert.deepEqual(JSON.parse(canonical), theirs, 'the canonical form says the same')
  },
}

function parsedOrNot(text: string): { readonly value: unknown } | undefined {
  try {
    // -0 is written as 0, so that one value has one form.
    return { value: JSON.parse(text, (_name, value: unknown) => (value === 0 ? 0 : value)) }
  } catch {
    return undefined
  }
}

const secret = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '_', '-'), minLength: 43, maxLength: 43 })

/** Each of these texts has one spelling. */
export const namesTarget: Target = {
  name: 'contract-names',
  inputs: fc.oneof(
    fc.tuple(secret, secret).map(([one, two]) => bytesOf(`sp1.${one}.${two}`)),
    fc.constant(bytesOf('spiffe://gateway.example/tenant/acme/agent/invoice-bot')),
  ),
  words: ['sp1.', '.', '\n', 'spiffe://', '/tenant/', '/agent/', '%61', 'SPIFFE', ':443', '?', '#', '\xc5\xbf', '..'],
  bytesMax: 512,
  check(input) {
    const text = Buffer.from(input).toString('utf8')
    const token = parseEnrolmentToken(text)
    if (token) assert.equal(formatEnrolmentToken(token), text)
    const identity = parseSpiffeId(text)
    if (!identity) return
    assert.equal(identity.id, text)
    const { protocol, host, pathname, search, hash } = new URL(text)
    assert.deepEqual([protocol, host, pathname, search, hash], ['spiffe:', identity.trustDomain, `/tenant/${identity.tenant}/agent/${identity.agent}`, '', ''])
    assert.equal(latin1(input), text)
  },
}
