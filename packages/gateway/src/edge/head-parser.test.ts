import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProblemCode } from '@sallyport/contract'
import fc from 'fast-check'
import type { Framing } from './head-fields.ts'
import { parseHead, type Head, type Incomplete } from './head-parser.ts'
import { defaultEdgeLimits, type EdgeLimits } from './limits.ts'
import type { Refused } from '@sallyport/contract'

const limits: EdgeLimits = { ...defaultEdgeLimits, headBytes: 1000, headerCount: 4, headerBytes: 100, targetBytes: 50, bodyBytes: 1000 }

function parse(text: string, given: EdgeLimits = limits): Head | Incomplete | Refused {
  return parseHead(Buffer.from(text, 'latin1'), 0, given)
}

function request(...lines: string[]): string {
  return ['POST /a HTTP/1.1', 'Host: x', ...lines, '', ''].join('\r\n')
}

test('a head is its parts, names in lower case, values without white space around them', () => {
  const text = 'POST /a/b?c=d HTTP/1.1\r\nHost: gateway.test:8443\r\nX-One: \t two  words \t\r\nX-Empty:\r\n\r\nrest'
  assert.deepEqual(parse(text), {
    kind: 'head',
    method: 'POST',
    path: '/a/b',
    query: 'c=d',
    headers: [
      ['host', 'gateway.test:8443'],
      ['x-one', 'two  words'],
      ['x-empty', ''],
    ],
    fields: { kind: 'fields', framing: { kind: 'none' }, isLast: false, expectsContinue: false },
    end: text.length - 4,
  })
})

const framings: [name: string, lines: string[], framing: Framing][] = [
  ['no length', [], { kind: 'none' }],
  ['length zero', ['Content-Length: 0'], { kind: 'none' }],
  ['a length', ['Content-Length: 10'], { kind: 'length', length: 10 }],
  ['the largest length', ['content-length: 1000'], { kind: 'length', length: 1000 }],
  ['chunks', ['Transfer-Encoding: chunked'], { kind: 'chunked' }],
]

for (const [name, lines, framing] of framings) {
  test(`framing: ${name}`, () => {
    const head = parse(request(...lines))
    assert.ok(head.kind === 'head')
    assert.deepEqual(head.fields.framing, framing)
  })
}

const accepted: [name: string, text: string][] = [
  ['close', request('Connection: close')],
  ['keep-alive', request('Connection: Keep-Alive')],
  ['TE: trailers', request('Connection: TE', 'TE: trailers')],
  ['100-continue', request('Expect: 100-Continue', 'Content-Length: 1')],
  ['a name with every token character', request("!#$%&'*+-.^`|~09azAZ: 1")],
  ['an IPv6 host', 'GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n'],
  ['GET that says it has no body', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'],
  ['DELETE with a length', 'DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n'],
  ['a target as long as allowed', `GET /${'a'.repeat(49)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['as many headers as allowed', request('A: 1', 'B: 2', 'C: 3')],
  ['a header line as long as allowed', request(`A: ${'b'.repeat(97)}`)],
]

for (const [name, text] of accepted) {
  test(`accepted: ${name}`, () => assert.equal(parse(text).kind, 'head'))
}

const refusals: [name: string, text: string, code?: ProblemCode][] = [
  ['an empty line first', `\r\n${request()}`],
  ['a bare LF first', `\n${request()}`],
  ['bare LF after the request line', 'GET / HTTP/1.1\nHost: x\r\n\r\n'],
  ['bare LF after a header', 'GET / HTTP/1.1\r\nHost: x\n\r\n'],
  ['bare CR in a value', request('A: b\rC: d')],
  ['CR CR LF', 'GET / HTTP/1.1\r\r\nHost: x\r\n\r\n'],
  ['NUL in a value', request('A: b\0c')],
  ['a control in a value', request('A: b\x01c')],
  ['DEL in a value', request('A: b\x7fc')],
  ['obs-text in a value', request('A: b\xe9c')],
  ['obs-text in the target', 'GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a tab in the request line', 'GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['two spaces in the request line', 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a space before the method', ' GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a space after the version', 'GET / HTTP/1.1 \r\nHost: x\r\n\r\n'],
  ['a fourth word', 'GET / HTTP/1.1 x\r\nHost: x\r\n\r\n'],
  ['no version', 'GET /\r\nHost: x\r\n\r\n'],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: x\r\n\r\n'],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: x\r\n\r\n'],
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n'],
  ['HTTP/01.1', 'GET / HTTP/01.1\r\nHost: x\r\n\r\n'],
  ['the version in lower case', 'GET / http/1.1\r\nHost: x\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a method in lower case', 'get / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a method with a separator', 'GE(T / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a method without end', `${'A'.repeat(33)} / HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['absolute form', 'GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['CONNECT', 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n', 'edge.upgrade-refused'],
  ['a target too long', `GET /${'a'.repeat(50)} HTTP/1.1\r\nHost: x\r\n\r\n`, 'edge.too-large'],
  ['one header too many', request('A: 1', 'B: 2', 'C: 3', 'D: 4'), 'edge.too-large'],
  ['a header line too long', request(`A: ${'b'.repeat(98)}`), 'edge.too-large'],

  ['a space before the colon', request('A : b')],
  ['a tab before the colon', request('A\t: b')],
  ['no colon', request('A')],
  ['no name', request(': b')],
  ['an underscore', request('Content_Length: 1')],
  ['a name with a separator', request('A(b): c')],
  ['a folded header', request('A: b', ' c')],
  ['a header folded with a tab', request('A: b', '\tc')],
  ['a space before the first header', 'GET / HTTP/1.1\r\n Host: x\r\n\r\n'],
  ['a line of white space', request('A: b', ' ')],

  ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['two hosts', request('Host: x')],
  ['a host with user info', 'GET / HTTP/1.1\r\nHost: a@x\r\n\r\n'],
  ['a host with a path', 'GET / HTTP/1.1\r\nHost: x/y\r\n\r\n'],
  ['two hosts in a list', 'GET / HTTP/1.1\r\nHost: x, y\r\n\r\n'],
  ['a port that is none', 'GET / HTTP/1.1\r\nHost: x:\r\n\r\n'],

  ['two equal lengths', request('Content-Length: 1', 'Content-Length: 1')],
  ['two different lengths', request('Content-Length: 1', 'Content-Length: 2')],
  ['a list of lengths', request('Content-Length: 1, 1')],
  ['a signed length', request('Content-Length: +1')],
  ['a negative length', request('Content-Length: -1')],
  ['a hexadecimal length', request('Content-Length: 0x1')],
  ['a leading zero', request('Content-Length: 01')],
  ['a fraction', request('Content-Length: 1.0')],
  ['an exponent', request('Content-Length: 1e1')],
  ['an empty length', request('Content-Length:')],
  ['a length above the limit', request('Content-Length: 1001'), 'edge.too-large'],
  ['a length beyond every number', request(`Content-Length: ${'9'.repeat(40)}`), 'edge.too-large'],
  ['a length and chunks', request('Content-Length: 1', 'Transfer-Encoding: chunked')],
  ['chunks and a length zero', request('Transfer-Encoding: chunked', 'Content-Length: 0')],
  ['Chunked with a capital', request('Transfer-Encoding: Chunked')],
  ['gzip, chunked', request('Transfer-Encoding: gzip, chunked')],
  ['chunked twice in a list', request('Transfer-Encoding: chunked, chunked')],
  ['chunked on two lines', request('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')],
  ['identity', request('Transfer-Encoding: identity')],
  ['quoted chunked', request('Transfer-Encoding: "chunked"')],
  ['an empty transfer-encoding', request('Transfer-Encoding:')],
  ['a GET with a body', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n'],
  ['a HEAD with chunks', 'HEAD / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['a DELETE with chunks', 'DELETE / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'],

  ['two authorizations', request('Authorization: a', 'authorization: b')],
  ['two sessions', request('Mcp-Session-Id: a', 'Mcp-Session-Id: a')],
  ['two content types', request('Content-Type: a', 'Content-Type: b')],
  ['an unknown connection option', request('Connection: authorization')],
  ['close and keep-alive', request('Connection: close, keep-alive')],
  ['an empty connection', request('Connection:')],
  ['Connection: upgrade', request('Connection: Upgrade'), 'edge.upgrade-refused'],
  ['Upgrade', request('Upgrade: websocket'), 'edge.upgrade-refused'],
  ['another expectation', request('Expect: 200-ok')],
  ['TE: gzip', request('TE: gzip')],
  ['Trailer', request('Trailer: x')],
]

for (const [name, text, code = 'edge.malformed'] of refusals) {
  test(`refused: ${name}`, () => {
    const parsed = parse(text)
    assert.ok(parsed.kind === 'refused', 'must be refused')
    assert.equal(parsed.problem.code, code)
  })
}

test('a head that fills the limit is read, one byte more is refused', () => {
  const exact = request().length
  assert.equal(parse(request(), { ...limits, headBytes: exact }).kind, 'head')
  assert.equal(parse(`${request()}next`, { ...limits, headBytes: exact }).kind, 'head')
  const parsed = parse(request(), { ...limits, headBytes: exact - 1 })
  assert.ok(parsed.kind === 'refused' && parsed.problem.code === 'edge.too-large')
})

/** Feeds the bytes as they were split and returns the first result that is not "more". */
function parseInPieces(bytes: Buffer, cuts: readonly number[]): Head | Incomplete | Refused {
  let scanned = 0
  for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    const parsed = parseHead(bytes.subarray(0, end), scanned, limits)
    if (parsed.kind !== 'incomplete') return parsed
    scanned = parsed.scanned
  }
  return { kind: 'incomplete', scanned }
}

const fragment = fc.constantFrom(
  '\r\n',
  '\r',
  '\n',
  'GET / HTTP/1.1\r\n',
  'Host: x\r\n',
  'A: b\r\n',
  ' ',
  '\0',
  'é',
  'Content-Length: 1\r\n',
  'x'.repeat(400),
  '\r\n\r\n',
)

test('however the bytes are split, the result is the same', () => {
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 10 }), fc.array(fc.nat(), { maxLength: 12 }), (pieces, cuts) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1')
      assert.deepEqual(parseInPieces(bytes, cuts), parseHead(bytes, 0, limits))
    }),
    { numRuns: 2000 },
  )
  for (const [, text] of [...accepted, ...refusals]) {
    const bytes = Buffer.from(text, 'latin1')
    const everyByte = Array.from(bytes, (_, index) => index)
    assert.deepEqual(parseInPieces(bytes, everyByte), parseHead(bytes, 0, limits))
  }
})

test('arbitrary bytes never throw, and what passes is legal', () => {
  const legalHead = /^[A-Z-]+ \/[\x21-\x7e]* HTTP\/1\.1\r\n(?:[!-9;-^`-~]+:[\t\x20-\x7e]*\r\n)+\r\n$/
  const mutated = fc.tuple(fc.constantFrom(...accepted.map(([, text]) => text)), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }))
  fc.assert(
    fc.property(mutated, ([text, changes]) => {
      const bytes = Buffer.from(text, 'latin1')
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      const parsed = parseHead(bytes, 0, limits)
      if (parsed.kind === 'head') assert.match(bytes.toString('latin1', 0, parsed.end), legalHead)
    }),
    { numRuns: 5000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.notEqual(parseHead(Buffer.from(bytes), 0, limits).kind, 'head')
    }),
  )
})
