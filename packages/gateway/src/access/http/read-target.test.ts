import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readTarget } from './read-target.ts'

function read(path: string, given = '', encodedSlashes = false) {
  const target = readTarget(path, given, encodedSlashes)
  if (target.kind !== 'read') return target.reason
  const query = target.parameters.map(({ name, value }) => (value === undefined ? [name] : [name, value]))
  return { segments: target.segments, query, text: target.text }
}

test('segments are decoded once', () => {
  assert.deepEqual(read('/a%20b/%252e%252e/ä'), 'the path is not well encoded')
  assert.deepEqual(read('/a%20b/%252e%252e/%C3%A4/'), { segments: ['a b', '%2e%2e', 'ä', ''], query: [], text: '/a%20b/%252e%252e/%C3%A4/' })
})

test('what servers cut at is encoded anew, what is plain stays plain', () => {
  assert.deepEqual(read('/admin;x=1/a:b@c,$', 'a=1;b=2&c=x/y?z'), {
    segments: ['admin;x=1', 'a:b@c,$'],
    query: [
      ['a', '1;b=2'],
      ['c', 'x/y?z'],
    ],
    text: '/admin%3Bx%3D1/a:b@c,$?a=1%3Bb%3D2&c=x%2Fy%3Fz',
  })
})

for (const [path, why] of [
  ['/a/%2e%2e/b', /dot segment/],
  ['/a/%2E/b', /dot segment/],
  ['/a/../b', /dot segment/],
  ['/a//b', /empty segment/],
  ['/a%2fb', /encoded slash/],
  ['/a%5cb', /backslash/],
  ['/a\\b', /backslash/],
  ['/a%', /not well encoded/],
  ['/a%2', /not well encoded/],
  ['/a%zz', /not well encoded/],
  ['/a%ff', /not well encoded/],
  ['/a%c0%af', /not well encoded/],
  ['/a%00', /control/],
  ['/a%0d%0ab', /control/],
  ['/a%7f', /control/],
  ['/a b', /not well encoded/],
  [`/${'a/'.repeat(64)}`, /segments/],
] as const) {
  test(`${path.slice(0, 40)} is malformed`, () => {
    const reason = read(path)
    assert.ok(typeof reason === 'string')
    assert.match(reason, why)
  })
}

test('encoded slashes pass where the upstream allows them, but not as a way up', () => {
  assert.deepEqual(read('/a%2Fb', '', true), { segments: ['a/b'], query: [], text: '/a%2Fb' })
  assert.equal(read('/a%2F..%2Fb', '', true), 'the path has an encoded dot segment')
  assert.equal(read('/a%5C..', '', true), 'the path has an encoded dot segment')
})

test('parameters keep their order, and empty pieces are dropped', () => {
  assert.deepEqual(read('/', 'a=1&b&a=2&__proto__=x&a=&&c=%2B+'), {
    segments: [''],
    query: [['a', '1'], ['b'], ['a', '2'], ['__proto__', 'x'], ['a', ''], ['c', '+ ']],
    text: '/?a=1&b&a=2&__proto__=x&a=&c=%2B%20',
  })
})

test('a query that is not well encoded, holds a NUL or too many parameters is malformed', () => {
  for (const query of ['a=%', 'a=%ff', '%zz=1', 'a=%00', 'a=b c', 'a=ä', Array(513).fill('a=1').join('&')])
    assert.equal(typeof read('/', query), 'string', query.slice(0, 10))
  assert.notEqual(typeof read('/', Array(512).fill('a=1').join('&')), 'string')
})

test('what is written reads as the same again', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'))
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), fc.array(fc.tuple(text, text), { maxLength: 5 }), (segments, parameters) => {
      const path = `/${segments.map(encodeURIComponent).join('/')}`
      const query = parameters.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
      const target = readTarget(path, query, false)
      if (target.kind === 'malformed') return
      const [again = '', queryAgain = ''] = target.text.split('?')
      const second = readTarget(again, queryAgain, false)
      assert.ok(second.kind === 'read')
      assert.deepEqual([second.segments, second.parameters, second.text], [target.segments, target.parameters, target.text])
    }),
    { numRuns: 200 },
  )
})
