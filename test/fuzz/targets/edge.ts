import assert from 'node:assert/strict'
import type { Refused } from '@sallyport/contract'
import fc from 'fast-check'
import { ChunkedDecoder } from '../../../packages/gateway/src/edge/chunked-decoder.ts'
import { parseHead, type Head, type Incomplete } from '../../../packages/gateway/src/edge/head-parser.ts'
import { defaultEdgeLimits, type EdgeLimits } from '../../../packages/gateway/src/edge/limits.ts'
import { parseTarget } from '../../../packages/gateway/src/edge/target.ts'
import { readByEdge } from '../readers/edge-reader.ts'
import { readByNode } from '../readers/node-reader.ts'
import { bytesOf, cuts, latin1, type Target } from '../target.ts'

/** Small, so that mutations reach them. */
const limits: EdgeLimits = { ...defaultEdgeLimits, headBytes: 2048, headerCount: 12, targetBytes: 256, headerBytes: 512, bodyBytes: 1024 }

const bodiless = fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'M-SEARCH', 'QUERY', 'UNHEARD-OF')
const withBody = fc.constantFrom('POST', 'PUT', 'PATCH', 'OPTIONS', 'QUERY')
const query = fc.constantFrom('', '?', '?a=b', '?a=%C3%A9&b', '?x[]=1|2')
/** One character in one of its spellings, percent-encoded up to three times over, each character of an encoding again as it comes. */
const spelled = fc.tuple(fc.constantFrom<string>('.', '/', ';', 'a', '\\', '\0', '%'), fc.array(fc.nat(7), { maxLength: 3 })).map(([character, rounds]) => {
  let text = character
  for (const chosen of rounds) {
    text = [...text].map((unit, index) => ((chosen >> (index % 3)) & 1 ? `%${unit.charCodeAt(0).toString(16).padStart(2, '0')}` : unit)).join('')
  }
  return text
})
const plain = fc.constantFrom('a', 'tenants', '%2Fx', '.x', '..x', '%20', 'caf%C3%A9', '~', 'a;b=1', '%25', '')
const plainTarget = fc.tuple(fc.array(plain, { minLength: 1, maxLength: 3 }), query).map(targetOf)
const spelledSegment = fc.oneof(
  plain,
  fc.array(spelled, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
)
const target = fc.tuple(fc.array(spelledSegment, { minLength: 1, maxLength: 4 }), query).map(targetOf)
const body = fc.constantFrom('', 'x', 'hello', 'GET / HTTP/1.1\r\nhost: b\r\n\r\n', '0\r\n\r\n')
const nothing = { fields: '', text: '' }
const withLength = body.map((text) => ({ fields: `content-length: ${text.length}\r\n`, text }))
const inChunks = fc
  .tuple(body, fc.nat(3))
  .map(([text, cut]) => ({ fields: 'Transfer-Encoding: chunked\r\n', text: `${chunk(text.slice(0, cut))}${chunk(text.slice(cut))}0\r\n\r\n` }))
const connection = fc.constantFrom([], [], [], ['Connection: keep-alive, TE'], ['connection: close'])
const fields = fc.tuple(fc.subarray(['Accept: */*', 'te: trailers', 'expect: 100-continue', 'X-Empty:', 'x-tabs:\t a\tb \t', "!#$%&'*+-.^`|~: 1"]), connection)
const message = fc.oneof(fc.tuple(bodiless, fc.constant(nothing)), fc.tuple(withBody, fc.oneof(withLength, inChunks)))
const request = fc.tuple(message, plainTarget, fields).map(([[method, { fields: framing, text }], path, [others, last]]) => {
  const lines = ['host: a.example:8443', ...others, ...last].map((line) => `${line}\r\n`).join('')
  return { head: `${method} ${path} HTTP/1.1\r\n${lines}${framing}\r\n`, text }
})

const words = [
  '\r\n',
  '\r\n\r\n',
  ' HTTP/1.1\r\n',
  ' HTTP/1.0\r\n',
  'host: b\r\n',
  'content-length: 5\r\n',
  'content-length: +5\r\n',
  'content-length: 5, 5\r\n',
  'transfer-encoding: chunked\r\n',
  'transfer-encoding: chunked, identity\r\n',
  'transfer-encoding:\tchunked\r\n',
  'connection: upgrade\r\n',
  'upgrade: h2c\r\n',
  'expect: 100-continue\r\n',
  ' folded\r\n',
  'CONNECT ',
  'http://b/',
  '0\r\n\r\n',
  '5;ext=1\r\n',
  '0005\r\n',
  'ffffffff\r\n',
  'GET / HTTP/1.1\r\nhost: c\r\n\r\n',
]

/** A head means the same however its bytes were split, and holds no character by which a line could become two. */
export const headTarget: Target = {
  name: 'edge-head',
  inputs: request.map(({ head, text }) => bytesOf(head + text)),
  words,
  bytesMax: 4096,
  check(input) {
    const whole = parseHead(Buffer.from(input), 0, limits)
    for (const pieces of cuts(input)) assert.deepEqual(outcomeOf(headOfPieces(pieces)), outcomeOf(whole))
    if (whole.kind !== 'head') return
    assert.equal(latin1(input.subarray(whole.end - 4, whole.end)), '\r\n\r\n')
    assert.equal(latin1(input.subarray(0, whole.end)).indexOf('\r\n\r\n'), whole.end - 4)
    assert.match(`${whole.method}${whole.path}${whole.query}`, /^[\x21-\x7e]+$/)
    for (const [name, value] of whole.headers) {
      assert.match(name, /^[\x21-\x7e]+$/)
      assert.match(value, /^[\t\x20-\x7e]*$/)
      assert.equal(name, name.toLowerCase())
    }
  },
}

function headOfPieces(pieces: readonly Uint8Array[]): Head | Incomplete | Refused {
  const bytes = Buffer.concat(pieces)
  let here = 0
  let parsed = parseHead(bytes.subarray(0, 0), 0, limits)
  for (const piece of pieces) {
    if (parsed.kind !== 'incomplete') break
    here += piece.length
    parsed = parseHead(bytes.subarray(0, here), parsed.scanned, limits)
  }
  return parsed
}

/** Of a refusal its code alone: which flaw is met first may depend on how much is here. */
function outcomeOf(parsed: Head | Incomplete | Refused): unknown {
  if (parsed.kind === 'refused') return parsed.problem.code
  return parsed.kind === 'incomplete' ? 'incomplete' : parsed
}

/** Whoever decodes a path that was let through, once or twice, and cuts it at any separator, meets no dot segment, no NUL and nothing that is not text. */
export const targetTarget: Target = {
  name: 'edge-target',
  inputs: target.map(bytesOf),
  words: ['/', '//', '..', '%2e', '%2E', '%2f', '%5c', '%25', '%252e', '%2525', '%00', '%32', '%65', '%c0%ae', '%3b', ';', '?', '#', '\\', '%'],
  bytesMax: 512,
  check(input) {
    const text = latin1(input)
    const parsed = parseTarget(text)
    if (parsed.kind === 'refused') return void assert.equal(parsed.problem.code, 'edge.malformed')
    assert.equal(text, text.includes('?') ? `${parsed.path}?${parsed.query}` : parsed.path)
    const { pathname, search, hash, host } = new URL(text, 'http://a.example')
    assert.deepEqual(
      { pathname, search: search.replaceAll('%27', "'"), hash, host },
      { pathname: parsed.path, search: parsed.query && `?${parsed.query.replaceAll('%27', "'")}`, hash: '', host: 'a.example' },
    )
    let seen = parsed.path
    for (const round of [0, 1, 2]) {
      assert.doesNotMatch(seen, /\0|\\/, `decoded ${round} times`)
      const steps = seen.split('/').map((step) => step.replace(/;.*$/s, ''))
      assert.ok(!steps.includes('.') && !steps.includes('..'), `a dot segment appears when decoded ${round} times: ${seen}`)
      const next = decoded(seen)
      if (next === undefined) break
      seen = next
    }
  },
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const chunkSize = /^(0|[1-9A-Fa-f][0-9A-Fa-f]{0,7})\r\n/

/** The decoder agrees with a slow reader that has the whole body before it, however the bytes were split. */
export const chunkedTarget: Target = {
  name: 'edge-chunked',
  inputs: fc.array(fc.string({ maxLength: 20 }), { maxLength: 4 }).map((pieces) => bytesOf(`${pieces.map(chunk).join('')}0\r\n\r\n`)),
  words: ['\r\n', '0\r\n\r\n', '0\r\n', '5\r\n', '00\r\n', 'A\r\n', ';x\r\n', '0x1\r\n', '7fffffff\r\n', '100000000\r\n', '\n', '\r'],
  bytesMax: 2048,
  check(input) {
    const expected = bodyOf(latin1(input))
    for (const pieces of cuts(input)) {
      const decoder = new ChunkedDecoder(limits.bodyBytes)
      const body: Uint8Array[] = []
      let taken = 0
      for (const piece of pieces) if (!decoder.flaw && !decoder.isComplete) taken += decoder.decode(Buffer.from(piece), 0, body)
      const state = decoder.flaw ? 'flawed' : decoder.isComplete ? 'complete' : 'open'
      assert.equal(state, expected.state)
      if (state !== 'flawed') assert.equal(latin1(Buffer.concat(body)), expected.body)
      if (state === 'complete') assert.equal(taken, expected.end)
    }
  },
}

function bodyOf(text: string): { state: 'flawed' | 'complete' | 'open'; body: string; end: number } {
  let body = ''
  let at = 0
  for (;;) {
    const [line, digits = ''] = chunkSize.exec(text.slice(at)) ?? []
    if (line === undefined)
      return {
        state: /^(?:|(?:0|[1-9A-Fa-f][0-9A-Fa-f]{0,7})\r?)$/.test(text.slice(at)) && !isTooLarge(text.slice(at), body) ? 'open' : 'flawed',
        body,
        end: at,
      }
    const size = Number.parseInt(digits, 16)
    if (body.length + size > limits.bodyBytes) return { state: 'flawed', body, end: at }
    at += line.length
    const data = text.slice(at, at + size)
    body += data
    at += data.length
    const tail = text.slice(at, at + 2)
    if (data.length < size) return { state: 'open', body, end: at }
    if (!'\r\n'.startsWith(tail)) return { state: 'flawed', body, end: at }
    at += tail.length
    if (tail.length < 2) return { state: 'open', body, end: at }
    if (size === 0) return { state: 'complete', body, end: at }
  }
}

/** The size counts once its line is known to end. */
function isTooLarge(open: string, body: string): boolean {
  return open.endsWith('\r') && body.length + Number.parseInt(open, 16) > limits.bodyBytes
}

/**
 * Whatever the edge takes for N requests, Node's own parser (llhttp, strict) takes for the same N: method, target, fields and body. So nobody behind the
 * gateway can be shown a request that it did not judge.
 */
export const streamTarget: Target = {
  name: 'edge-stream',
  inputs: fc.array(request, { minLength: 1, maxLength: 3 }).map((requests) => bytesOf(requests.map(({ head, text }) => head + text).join(''))),
  words,
  bytesMax: 4096,
  async check(input) {
    const ours = await readByEdge(input, limits)
    const theirs = await readByNode(input)
    for (const [index, request] of ours.entries()) {
      // Node knows a closed list of methods; the edge takes any token.
      if (!theirs[index] && !request.isMethodKnown) break
      assert.deepEqual(request, theirs[index], `request ${index + 1} of ${ours.length}`)
    }
    for (const pieces of cuts(input).slice(2)) assert.deepEqual(await readByEdge(pieces, limits), ours)
  },
}

function targetOf([segments, search]: readonly [readonly string[], string]): string {
  return `/${segments.join('/')}${search}`
}

function chunk(text: string): string {
  return text === '' ? '' : `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}
