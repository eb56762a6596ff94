import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { cosignerKey, cosignerKeyText, type CosignerKey } from './cosignature.ts'
import { verifierKey, verifierKeyText } from './note.ts'
import { isQuorum, parsePolicy, policyText, type LogPolicy } from './policy.ts'

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer')
const publicKey = (name: string): Uint8Array => sha256(Buffer.from(name))
const log = verifierKeyText(verifierKey('example.com/log', publicKey('log'), sha256))
const cosigner = (name: string): CosignerKey => cosignerKey(`witness.example/${name}`, publicKey(name), sha256)
const vkey = (name: string): string => cosignerKeyText(cosigner(name))

function parsed(text: string | Uint8Array): LogPolicy {
  const result = parsePolicy(Buffer.from(text), sha256)
  return result.kind === 'parsed' ? result.policy : assert.fail(`line ${result.line}: ${result.reason}`)
}

function reasonOf(text: string | Uint8Array): string {
  const result = parsePolicy(Buffer.from(text), sha256)
  return result.kind === 'refused' ? `${result.line}: ${result.reason}` : assert.fail('it was taken')
}

const x = ['X1', 'X2', 'X3'].map((name) => `witness ${name} ${vkey(name)}`)
const y = ['Y1', 'Y2', 'Y3'].map((name) => `witness ${name} ${vkey(name)} https://${name}.example/`)
/** The example of the specification. */
const example = [
  `log ${log}`,
  '',
  ...x,
  'group X-witnesses 2 X1 X2 X3',
  ' # by another organization',
  ...y,
  '\tgroup Y-witnesses\t any  Y1 Y2 Y3 ',
  'group X-and-Y all X-witnesses Y-witnesses',
  'quorum X-and-Y',
  '',
].join('\n')

test('the policy of the specification demands two of X and one of Y', () => {
  const { logs, witnesses, quorum } = parsed(example)
  assert.deepEqual([logs.length, witnesses.length, witnesses[3]?.url], [1, 6, 'https://Y1.example/'])
  const keys = new Map(witnesses.map(({ name, key }) => [name, key]))
  const meets = (...names: readonly string[]): boolean =>
    isQuorum(
      quorum,
      names.map((name) => keys.get(name) ?? assert.fail(name)),
    )
  for (const enough of [
    ['X1', 'X2', 'Y1'],
    ['X1', 'X3', 'Y3'],
    ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'],
  ])
    assert.ok(meets(...enough), enough.join())
  for (const few of [[], ['X1', 'X2'], ['X1', 'Y1'], ['Y1', 'Y2', 'Y3'], ['X1', 'X2', 'X3'], ['X1', 'X1', 'Y1']]) assert.ok(!meets(...few), few.join())
})

test('a quorum is a witness, a group or none', () => {
  assert.ok(isQuorum(parsed(`quorum none\n`).quorum, []))
  const single = parsed(`witness a ${vkey('a')}\nquorum a\n`)
  assert.ok(!isQuorum(single.quorum, []))
  assert.ok(
    isQuorum(
      single.quorum,
      single.witnesses.map(({ key }) => key),
    ),
  )
})

test('names are octets: what looks alike or is no text at all is a name of its own', () => {
  const kelvin = Buffer.concat([Buffer.from(`witness K ${vkey('a')}\nwitness `), Buffer.from('\u212a'), Buffer.from(` ${vkey('b')}\nquorum K\n`)])
  assert.equal(parsed(kelvin).witnesses.length, 2)
  assert.equal(parsed(Buffer.concat([Buffer.from('# '), Buffer.from([0xff, 0x80]), Buffer.from('\nquorum none\n')])).quorum.kind, 'none')
})

test('what is not exactly a policy is refused, with its line', () => {
  const a = `witness a ${vkey('a')}\n`
  const b = `witness b ${vkey('b')}\n`
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /1: the file has no quorum line/],
    ['quorum none', /1: the last line does not end/],
    [`${a}quorum a\nquorum a\n`, /3: there is a quorum line already/],
    [a, /1: the file has no quorum line/],
    [`quorum a\n${a}`, /1: a is not the name/],
    [`${a}quorum a b\n`, /2: it is written: quorum NAME/],
    [`${a}quorum none none\n`, /2: it is written/],
    [`${a}${b.replace('witness b', 'witness a')}quorum a\n`, /2: the name a is taken/],
    [`${a}witness b ${vkey('a')}\nquorum a\n`, /2: its key stands in the file already/],
    [`log ${log}\nlog ${verifierKeyText(verifierKey('example.com/other', publicKey('log'), sha256))}\nquorum none\n`, /2: its key stands/],
    [`log ${log}\nwitness a ${cosignerKeyText(cosignerKey('a', publicKey('log'), sha256))}\nquorum a\n`, /2: its key stands in the file already/],
    [`witness none ${vkey('a')}\nquorum none\n`, /1: none is no name/],
    [`witness a ${log}\nquorum a\n`, /1: its key is no Ed25519 key of a cosigner/],
    [`log ${vkey('a')}\nquorum none\n`, /1: its key is no Ed25519 key of a log/],
    [`${a}${b}group g 3 a b\nquorum g\n`, /3: its count is all, any, or a number from 1 to 2/],
    [`${a}${b}group g 0 a b\nquorum g\n`, /3: its count/],
    [`${a}${b}group g 01 a b\nquorum g\n`, /3: its count/],
    [`${a}${b}group g all\nquorum g\n`, /3: it is written: group/],
    [`${a}${b}group g 2 a a\nquorum g\n`, /3: a is a member already/],
    [`${a}${b}group g any a\ngroup h any a b\nquorum h\n`, /4: a is a member already/],
    [`${a}group g any g\nquorum g\n`, /2: g is not the name/],
    [`${a}group g any none\nquorum g\n`, /2: none is not the name/],
    [`${a}group a any a\nquorum a\n`, /2: the name a is taken/],
    [`Log ${log}\nquorum none\n`, /1: a line begins with/],
    [`log ${log} u v\nquorum none\n`, /1: it is written: log/],
    [`quorum none\r\n`, /1: it holds a control character/],
    [`quorum\u000bnone\n`, /1: it holds a control character/],
    [`quorum none\n\u007f\n`, /2: it holds a control character/],
  ]
  for (const [text, reason] of refused) assert.match(reasonOf(text), reason, text)
})

test('whatever is cut off a policy, what is left is refused or demands the same', () => {
  for (let length = 0; length < example.length; length += 1) {
    const result = parsePolicy(Buffer.from(example.slice(0, length)), sha256)
    assert.equal(result.kind, 'refused', `${length}`)
  }
})

test('arbitrary octets never throw', () => {
  const words = fc.constantFrom(
    'log',
    'witness',
    'group',
    'quorum',
    'none',
    'all',
    'any',
    '1',
    'a',
    'b',
    log,
    vkey('a'),
    vkey('b'),
    '#',
    '\t',
    '\u0000',
    '\u00ff',
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(words, fc.string()), { maxLength: 40 }),
      fc.array(fc.constantFrom(' ', '\n', '\n', '\r'), { maxLength: 40 }),
      (parts, ends) => {
        const text = parts.map((part, at) => `${part}${ends[at] ?? ' '}`).join('')
        assert.ok(['parsed', 'refused'].includes(parsePolicy(Buffer.from(text, 'latin1'), sha256).kind))
      },
    ),
  )
})

test('a policy that is written is read back', () => {
  const { witnesses, quorum } = parsed(policyText(log, ['a', 'b', 'c'].map(vkey), 2))
  const keys = witnesses.map(({ key }) => key)
  assert.deepEqual([isQuorum(quorum, keys.slice(0, 1)), isQuorum(quorum, keys.slice(1))], [false, true])
  assert.equal(parsed(policyText(log, [], 0)).quorum.kind, 'none')
})
