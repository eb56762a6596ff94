import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, array, constantFrom, integer, oneof, property, tuple, type Arbitrary } from 'fast-check'
import { examples, githubToken, of, privateKeys } from '../../../../../test/fixtures/findings.ts'
import { detectorsNamed } from './catalog.ts'
import { PieceScanner } from './piece-scanner.ts'
import { scan, undecidedMax } from './scan.ts'

const detectors = [...(detectorsNamed('secret') ?? []), ...(detectorsNamed('personal') ?? [])]
const secret = githubToken('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ')

function found(text: string): readonly string[] {
  return scan(text, 0, true, detectors).findings.map(({ detector, start, end }) => `${detector.name} ${text.slice(start, end)}`)
}

function escapedWith(write: (code: number) => string, text: string): string {
  return Array.from(text, (character) => write(character.charCodeAt(0))).join('')
}

const spellings: Readonly<Record<string, (text: string) => string>> = {
  'in JSON': (text) => escapedWith((code) => `\\u${code.toString(16).padStart(4, '0')}`, text),
  'in JSON in JSON in JSON': (text) => JSON.stringify(JSON.stringify(escapedWith((code) => `\\u${code.toString(16).padStart(4, '0')}`, text))),
  'in a programming language': (text) => escapedWith((code) => `\\x${code.toString(16)}`, text),
  'in a URL': (text) => escapedWith((code) => `%${code.toString(16)}`, text),
  'in base64': (text) => Buffer.from(text).toString('base64'),
  'in base64 behind one byte': (text) => Buffer.from(`.${text}`).toString('base64'),
  'in base64 behind two bytes': (text) => Buffer.from(`..${text}..`).toString('base64'),
  'in base64url behind a path': (text) => `/a/b${Buffer.from(`{"k":"${text}"}`).toString('base64url')}`,
  'in base64 with slashes escaped': (text) => JSON.stringify(Buffer.from(`????${text}????`).toString('base64')).replaceAll('/', '\\/'),
  'in lines of base64': (text) =>
    (
      Buffer.from(`${'.'.repeat(40)}${text}${'.'.repeat(40)}`)
        .toString('base64')
        .match(/.{1,64}/g) ?? []
    ).join('\n  '),
  'in hexadecimal': (text) => Buffer.from(text).toString('hex'),
  'in hexadecimal behind half a byte': (text) => `a${Buffer.from(text).toString('hex').toUpperCase()}`,
}

for (const [where, spell] of Object.entries(spellings)) {
  test(`a credential is found ${where}`, () => {
    const text = `x ${spell(secret)} y`
    const { findings } = scan(text, 0, true, detectors)
    assert.deepEqual(
      findings.map(({ detector }) => detector.name),
      ['secret/github-token'],
    )
  })
}

test('what is replaced is the spelling of the finding, and never half an escape', () => {
  assert.deepEqual(found(`"\\n\\u0067${secret.slice(1)}\\n"`), [`secret/github-token \\u0067${secret.slice(1)}`])
  // Whether the n is a line break or a letter, only the reader of the text knows.
  assert.deepEqual(found('"\\nme@example.com\\n"'), ['personal/email \\nme@example.com'])
  const encoded = Buffer.from(`a ${secret} z`).toString('base64')
  // Characters of base64 that belong to the credential at least in part: 40 bytes behind two others.
  assert.deepEqual(found(`x ${encoded} y`), [`secret/github-token ${encoded.slice(2, 56)}`])
})

test('random bytes in base64 hold no address by accident, and a text in base64 does', () => {
  const accident = Buffer.from([0x80, 0x81, ...Buffer.from('a@b.de'), 0x82, 0x83, 0x84, 0x85, 0x86, 0x87]).toString('base64')
  assert.deepEqual(found(accident), [])
  assert.equal(found(Buffer.from('mail me at a@b.de').toString('base64')).length, 1)
})

test('a private key without its end is found, and a mention of its first line is none', () => {
  const [pem = ''] = privateKeys
  assert.deepEqual(found(pem.slice(0, -40)).length, 1)
  assert.deepEqual(found(pem.replaceAll('\n', ' ')).length, 1)
  assert.deepEqual(found(JSON.stringify(pem)), [`secret/private-key ${JSON.stringify(pem).slice(1, -1)}`])
  assert.deepEqual(found('look for `-----BEGIN PRIVATE KEY-----` in your files'), [])
})

/** What texts are made of: findings, plain and encoded, and everything that could cut or hide one. */
const fragment: Arbitrary<string> = oneof(
  oneof(...Object.entries(examples).map(([, { yes, before = '' }]) => yes.map((text) => before + text))),
  tuple(constantFrom(...Object.values(spellings)), of('0123456789abcdefABCDEF', 30)).map(([spell, body]) => spell(githubToken(body))),
  oneof(...Object.entries(examples).map(([, { no }]) => no)),
  constantFrom(...privateKeys).map((pem) => JSON.stringify(pem).slice(1, -1)),
  constantFrom('\\', '\\\\', '\\u', '%', '%2', '"', '\n', '\n\n', ' ', ', ', '-----BEGIN ', 'ghp_', 'eyJ', '@', '+49 ', '4111 ', '\u00e9', 'AAAA'),
  of('abcXYZ019 .,-_/+=%\\"', 1, 90),
  of('ABCDEFabcdef0123456789+/', 60, 80),
)

test('a text is found to hold the same, and passes unchanged, however it is cut', () => {
  check(
    property(array(fragment, { maxLength: 12 }), array(integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }), (fragments, sizes) => {
      const text = fragments.join('')
      const whole = scan(text, 0, true, detectors).findings.map(({ detector, start, end }) => `${detector.name} ${start} ${end}`)
      const scanner = new PieceScanner(detectors)
      const findings: string[] = []
      let passed = ''
      const take = ({ text: more, findings: inMore }: ReturnType<PieceScanner['read']>): void => {
        for (const { detector, start, end } of inMore) {
          assert.ok(end <= more.length)
          findings.push(`${detector.name} ${start + passed.length} ${end + passed.length}`)
        }
        passed += more
      }
      let at = 0
      for (let turn = 0; at < text.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1
        take(scanner.read(text.slice(at, at + size)))
        at += size
      }
      take(scanner.end())
      assert.equal(passed, text)
      assert.deepEqual(findings.toSorted(), whole.toSorted())
    }),
    { numRuns: 300 },
  )
})

test('a line that ends holds nothing back, and the last word is all that waits', () => {
  const scanner = new PieceScanner(detectors)
  assert.equal(scanner.read('data: {"text":"hello"}\n\n').text, 'data: {"text":"hello"}\n\n')
  assert.equal(scanner.read('this is gh').text, 'this is ')
  assert.equal(scanner.read('astly, ').text, 'ghastly, ')
})

test('whatever comes, what is held back is bounded', () => {
  for (const endless of [
    'A',
    '4111 ',
    'ab\n',
    'eyJhbGciOiJub25lIn0.',
    `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\n`,
    '\\u0041',
    '%41',
    `${'A'.repeat(76)}\n`,
  ]) {
    const scanner = new PieceScanner(detectors)
    let read = 0
    let passed = 0
    for (let round = 0; round < 60; round += 1) {
      const piece = endless.repeat(Math.ceil(8192 / endless.length))
      read += piece.length
      passed += scanner.read(piece).text.length
      assert.ok(read - passed <= undecidedMax * 1.25 + piece.length, JSON.stringify(endless.slice(0, 20)))
    }
  }
})
