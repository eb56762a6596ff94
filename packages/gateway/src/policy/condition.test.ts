import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '@sallyport/contract'
import { callBy, principalOf, streamedCallBy } from '../../../../test/fixtures/access-request.ts'
import { principalInSession, type Principal } from '../identity/identify.ts'
import { compileCondition } from './condition.ts'
import { questionOf } from './question.ts'
import { readFacts } from './read-paths.ts'

const caller = await principalOf('acme', 'invoice-bot')
const nowMs = Date.parse('2026-03-01T23:30:00.500Z')

function evaluate(text: string, args: Json = {}): boolean | string {
  const compiled = compileCondition(text)
  assert.equal(compiled.kind, 'compiled', JSON.stringify(compiled))
  if (compiled.kind !== 'compiled') return 'never'
  const judgement = compiled.condition.evaluate(questionOf(callBy(caller, { args })), nowMs)
  return judgement.kind === 'value' ? judgement.holds : `error: ${judgement.message}`
}

const holding: readonly (readonly [text: string, args: Json, expected: boolean])[] = [
  ['args.amount > 50', { amount: 75 }, true],
  ['args.amount > 50', { amount: 75.5 }, true],
  ['args.amount > 50', { amount: 50 }, false],
  ['double(args.amount) > 50.0', { amount: 75 }, true],
  ['double(args.amount) > 50.0', { amount: 75.5 }, true],
  ['double(args.amount) > 50.0', { amount: '75.5' }, true],
  ['int(args.amount) % 2 == 1', { amount: 75 }, true],
  ['int(args.amount) == -5', { amount: '-5' }, true],
  ['args.amount + 1.0 == 76.0', { amount: 75 }, true],
  ['args.amount == 75', { amount: 75 }, true],
  ['args.list[args.index] == "b"', { list: ['a', 'b'], index: 1 }, true],
  ['args.name.startsWith("a") && args.name.matches("^a[0-9]+$")', { name: 'a12' }, true],
  ['"x" in args.tags', { tags: ['x'] }, true],
  ['args.items.exists(i, i.price > 100)', { items: [{ price: 5 }, { price: 200 }] }, true],
  ['args.items.all(i, i.price > 100)', { items: [{ price: 5 }, { price: 200 }] }, false],
  ['args.items.filter(i, i.price > 100).size() == 1', { items: [{ price: 5 }, { price: 200 }] }, true],
  ['args.items.exists_one(i, i == 2)', { items: [1, 2] }, true],
  ['args.amount > 10 ? args.ok : false', { amount: 11, ok: true }, true],
  ['has(args.force)', { force: null }, true],
  ['"force" in args', { force: null }, true],
  ['has(args.force)', {}, false],
  ['has(args.a.b)', { a: {} }, false],
  ['args.force == null', { force: null }, true],
  ['args == {"a": 1.0}', { a: 1 }, true],
  ['type(args.a) == string', { a: 'x' }, true],
  ['size(args.text) == 2', { text: '😀a' }, true],
  ['subject.tenant == "acme" && subject.agent == "invoice-bot" && subject.spiffe_id.endsWith("/agent/invoice-bot")', {}, true],
  ['action == "create_refund" && upstream == "payments" && resource == action', {}, true],
  ['context.protocol == "mcp" && context.method == "tools/call" && context.remote_address == "127.0.0.1"', {}, true],
  ['context.time.getHours() >= 22 && context.time.getHours("Europe/Berlin") == 0', {}, true],
  ['context.time > timestamp("2026-03-01T23:30:00Z")', {}, true],
  ['args["amount"] > 1', { amount: 2 }, true],
  ['args.missing > 1 || true', {}, true],
  ['detects(args, "personal")', { a: [{ b: 'me@example.com' }] }, true],
  ['detects(args, "personal")', { a: [{ 'me@example.com': null }] }, true],
  ['detects(args, "personal/iban")', { a: 'me@example.com' }, false],
  ['detects(args.n, "personal/credit-card")', { n: 4111111111111111 }, true],
  ['detects(args.n, "secret")', { n: null }, false],
  ['args.items.exists(i, detects(i.text, "personal/email"))', { items: [{ text: 'x' }, { text: 'me@example.com' }] }, true],
  ['detects(args, "secret/aws-secret-key")', { SecretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }, true],
]
for (const [text, args, expected] of holding) {
  test(`${text} is ${expected} for ${JSON.stringify(args)}`, () => assert.equal(evaluate(text, args), expected))
}

const failing: readonly (readonly [text: string, args: Json])[] = [
  ['args.amount > 50', {}],
  ['args.amount > 50', { amount: '75' }],
  ['args.amount > 50', []],
  ['detects(args.missing, "secret")', {}],
  ['detects(context.time, "secret")', {}],
  ['detects(args, "secret")', { text: 'x'.repeat(130_000) }],
  ['!detects(args, "secret")', { list: Array.from({ length: 1001 }, () => '') }],
  ['double(args.amount) > 50.0', { amount: '75 USD' }],
  ['double(args.amount) > 50.0', { amount: '' }],
  ['double(args.amount) > 50.0', { amount: ' 75' }],
  ['double(args.amount) > 50.0', { amount: '0x4b' }],
  ['double(args.amount) > 50.0', { amount: 'Infinity' }],
  ['double(args.amount) > 50.0', { amount: '1e999' }],
  ['double(args.amount) > 50.0', { amount: [75] }],
  ['int(args.amount) > 50', { amount: '' }],
  ['int(args.amount) > 50', { amount: '0x4b' }],
  ['int(args.amount) > 50', { amount: '99999999999999999999' }],
  ['args.flag', { flag: 'yes' }],
  ['!args.flag', { flag: 0 }],
  ['args.list[9] == 1', { list: [] }],
  ['args.constructor == 1', {}],
  ['args.__proto__ == 1', {}],
  ['args.a.hasOwnProperty == 1', { a: {} }],
]
for (const [text, args] of failing) {
  test(`${text} cannot be evaluated for ${JSON.stringify(args)}`, () => assert.match(String(evaluate(text, args)), /^error: /))
}

const invalid: readonly (readonly [text: string, offset: number, message: RegExp])[] = [
  ['args.amount >', 12, /not a CEL expression/],
  ['', 0, /not a CEL expression/],
  ['arg.amount > 5', 0, /unknown name 'arg'/],
  ['true && subject.agnet == "x"', 15, /no member 'agnet'/],
  ['context.time', 7, /true or false/],
  ['args.amount + 1.0', 12, /true or false/],
  ['"x"', 0, /true or false/],
  ['action > 5', 7, /no form of >/],
  ['action.startWith("x")', 6, /unknown function 'startWith'/],
  ['action.startsWith("x", "y")', 6, /no form of startsWith/],
  ['startsWith("x", "y")', 0, /no form of startsWith/],
  ['action && true', 0, /true or false is needed/],
  ['args.a.matches(args.b)', 0, /written out/],
  ['args.a.matches("a(b")', 0, /missing closing/],
  ['args.a.matches("(?=b)")', 0, /invalid/],
  ['args.xs.all(x, x.all(y, y > 1))', 0, /cannot be nested/],
  ['args.xs.map(x, x.y).exists(y, y == 1)', 0, /cannot be nested/],
  ['google.protobuf.Int32Value{value: 1} == 1', 0, /messages cannot be made/],
  [`${'('.repeat(200)}true${')'.repeat(200)}`, 64, /nested deeper/],
  [`"${'x'.repeat(5000)}" == action`, 4096, /longer than 4096/],
  [Array.from({ length: 300 }, () => 'true').join(' && '), 0, /more than 512 parts/],
  ['_result == 1', 0, /unknown name/],
]
for (const [text, offset, message] of invalid) {
  test(`${JSON.stringify(text.slice(0, 60))} is refused at ${offset}`, () => {
    const compiled = compileCondition(text)
    assert.equal(compiled.kind, 'invalid')
    const [fault] = compiled.kind === 'invalid' ? compiled.faults : []
    assert.match(fault?.message ?? '', message)
    if (offset > 0) assert.equal(fault?.offset, offset)
  })
}

test('of a call with an unread body, everything but the body can be asked', () => {
  const evaluate = (text: string, request = streamedCallBy(caller)): unknown => {
    const compiled = compileCondition(text)
    return compiled.kind === 'compiled' && compiled.condition.evaluate(questionOf(request), nowMs)
  }
  for (const text of ['action == "create_refund"', 'args.path.id == "17"', 'args.query == "a=b"', '!has(args.other)', '"path" in args']) {
    assert.deepEqual(evaluate(text), { kind: 'value', holds: true }, text)
  }
  const unreadable = [
    'has(args.body)',
    'has(args.body.force)',
    'args.body.amount > 5',
    '"body" in args',
    'args["body"] == null',
    'args.size() == 2',
    'args == args',
  ]
  for (const text of [...unreadable, 'args.exists(name, name == "body")', 'args.body.a == 1 || true', '!has(args.body.force)']) {
    assert.match(JSON.stringify(evaluate(text)), /streamed unread/, text)
  }
  for (const text of ['has(args.path)', 'args.x == 1'])
    assert.match(JSON.stringify(evaluate(text, { ...streamedCallBy(caller), args: undefined })), /streamed unread/, text)
})

test('facts are the scalars that the condition reads, bounded', () => {
  const compiled = compileCondition(
    'args.amount > 5 && args["to"].iban == "x" && context.method != "" && args.long != "" && args.list.size() > 0 && !has(args.gone)',
  )
  assert.equal(compiled.kind, 'compiled')
  if (compiled.kind !== 'compiled') return
  const request = callBy(caller, { args: { amount: 7, to: { iban: 'x' }, long: 'y'.repeat(1000), list: [1] } })
  const facts = readFacts(compiled.condition.reads, questionOf(request))
  assert.deepEqual(facts, { 'args.amount': 7, 'args.to.iban': 'x', 'context.method': 'tools/call', 'args.long': `${'y'.repeat(255)}…` })
})

test('a place in an expression is counted in UTF-16 units, also behind characters that need two', () => {
  const text = `"😀😀" == args.a && ${'('.repeat(65)}`
  const compiled = compileCondition(text)
  assert.deepEqual(compiled.kind === 'invalid' && compiled.faults.map(({ offset }) => offset), [text.length - 1])
})

test('of a session a condition sees that there is one, whose it is and what for; without one, asking for more fails', () => {
  const session = {
    id: 's',
    generation: 1,
    issuer: 'https://idp.example',
    subject: 'alice',
    scopes: ['calendar.read', 'mail.send'],
    actors: [],
    endsAtSeconds: 0,
  }
  const of = (text: string, principal: Principal): unknown => {
    const compiled = compileCondition(text)
    assert.equal(compiled.kind, 'compiled', text)
    return compiled.kind === 'compiled' && compiled.condition.evaluate(questionOf(callBy(principal)), nowMs)
  }
  const inSession = principalInSession(caller, session)
  for (const text of [
    'subject.session',
    'subject.person == "alice"',
    'subject.issuer == "https://idp.example"',
    '"mail.send" in subject.scopes',
    '!("mail.read" in subject.scopes)',
    'subject.scopes.exists(scope, scope.startsWith("calendar."))',
    'size(subject.scopes) == 2',
    'has(subject.person)',
    'size(subject.actors) == 0',
  ])
    assert.deepEqual(of(text, inSession), { kind: 'value', holds: true }, text)
  for (const text of ['!subject.session', '!has(subject.person)', '!has(subject.scopes)', '!(subject.session && subject.person == "alice")'])
    assert.deepEqual(of(text, caller), { kind: 'value', holds: true }, text)
  for (const text of ['subject.person != "mallory"', 'subject.issuer != ""', '!("admin" in subject.scopes)'])
    assert.match(JSON.stringify(of(text, caller)), /"kind":"error"/, text)
})
