import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTarget } from './target.ts'

const accepted: [target: string, path: string, query: string][] = [
  ['/', '/', ''],
  ['/a', '/a', ''],
  ['/a/', '/a/', ''],
  ['/a?', '/a', ''],
  ['/a?b=c?d', '/a', 'b=c?d'],
  ['/a?b=//../%2e', '/a', 'b=//../%2e'],
  ['/a?filter[x]={1|2}', '/a', 'filter[x]={1|2}'],
  ['/a?b=%0A', '/a', 'b=%0A'],
  ['/...', '/...', ''],
  ['/.a/a./..a/a..', '/.a/a./..a/a..', ''],
  ["/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@", ''],
  ['/a%2Fb', '/a%2Fb', ''],
  ['/a%2fb', '/a%2fb', ''],
  ['/caf%C3%A9', '/caf%C3%A9', ''],
  ['/100%25', '/100%25', ''],
  ['/100%2520', '/100%2520', ''],
  ['/a;v=1/b', '/a;v=1/b', ''],
]

for (const [target, path, query] of accepted) {
  test(`${target} is a target`, () => assert.deepEqual(parseTarget(target), { kind: 'target', path, query }))
}

const refusals = [
  '',
  'a',
  '*',
  'http://gateway.test/a',
  'gateway.test:443',
  '//',
  '//a',
  '/a//b',
  '/a//',
  '/a#b',
  '/a?b#c',
  '/a b',
  '/a\\b',
  '/a?b\\c',
  '/a%5Cb',
  '/a%5cb',
  '/a"b',
  '/a<b',
  '/a[b]',
  '/a|b',
  '/a%',
  '/a%2',
  '/a%2g',
  '/a?b=%',
  '/a?b=%zz',
  '/a%00',
  '/a%0d%0a',
  '/a%1F',
  '/a%7f',
  '/a?b=%00',
  '/.',
  '/..',
  '/./a',
  '/../a',
  '/a/..',
  '/a/../b',
  '/a/%2e%2e/b',
  '/a/%2E./b',
  '/a/.%2e',
  '/%2e',
  '/a%2f..%2fb',
  '/a%2F%2e%2e',
  '/..;/admin',
  '/..;x=1/admin',
  '/.;',
  '/..%3B/admin',
  '/%252e%252e/a',
  '/a%252fb',
  '/a%255cb',
  '/a%2500',
  '/a%25252e',
  '/%25%32%65%25%32%65/a',
  '/..%25%33%62/a',
  '/a%25%30%30',
  '/%c0%ae%c0%ae/a',
  '/%ff',
  '/a?b=%ff',
  '/a\u0000',
  '/a\u007f',
  '/a\u00e9',
]

for (const target of refusals) {
  test(`${JSON.stringify(target)} is refused`, () => {
    const parsed = parseTarget(target)
    assert.ok(parsed.kind === 'refused' && parsed.problem.code === 'edge.malformed')
  })
}

test('what is accepted names one path to everyone: the URL standard, a decoder and a walker change nothing', () => {
  const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E', '%2F', ';', 'a', '%', '%25', '2e', '\\', '%5c', '?', '#', '%00', 'é', ' ', ':', '@')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const target = `/${pieces.join('')}`
      const parsed = parseTarget(target)
      if (parsed.kind === 'refused') return
      const url = new URL(`https://gateway.test${target}`)
      assert.equal(url.host, 'gateway.test')
      assert.equal(url.pathname, parsed.path)
      const segments = decodeURIComponent(parsed.path).split(/[/\\]/)
      assert.ok(!segments.includes('.') && !segments.includes('..'))
    }),
    { numRuns: 3000 },
  )
})
