import { createHash } from 'node:crypto'
import type { Json } from '@sallyport/contract'
import { methodRow } from '../../packages/gateway/src/access/a2a/methods.ts'
import { readParams } from '../../packages/gateway/src/access/a2a/read-params.ts'
import { readTarget } from '../../packages/gateway/src/access/http/read-target.ts'
import { importOpenApi } from '../../packages/gateway/src/access/http/openapi.ts'
import { parseTemplate } from '../../packages/gateway/src/access/http/operation-template.ts'
import { readBetas } from '../../packages/gateway/src/access/llm/llm-headers.ts'
import { readOfferedTools } from '../../packages/gateway/src/access/llm/offered-tools.ts'
import { readLlmBody } from '../../packages/gateway/src/access/llm/read-llm-body.ts'
import { readJsonRpc } from '../../packages/gateway/src/access/mcp/json-rpc.ts'
import { openSealed, seal } from '../../packages/gateway/src/access/mcp/seal.ts'
import { formatAnswerHead } from '../../packages/gateway/src/edge/answer-head.ts'
import { ChunkedDecoder } from '../../packages/gateway/src/edge/chunked-decoder.ts'
import { parseHead } from '../../packages/gateway/src/edge/head-parser.ts'
import { defaultEdgeLimits } from '../../packages/gateway/src/edge/limits.ts'
import { readCertificate } from '../../packages/gateway/src/identity/certificate-identity.ts'
import { derTag, membersOf } from '../../packages/gateway/src/identity/der.ts'
import { testBound } from './bound.ts'

const edge = 'gateway/edge/limits.ts'
const isHead = (text: string): boolean => parseHead(Buffer.from(text), 0, defaultEdgeLimits).kind === 'head'
const line = (length: number): string => `x: ${'a'.repeat(length - 3)}`
testBound(edge, 'defaultEdgeLimits.headBytes', (size) => {
  const start = `GET / HTTP/1.1\r\nhost: a\r\n${line(16_000)}\r\n${line(16_000)}\r\n`
  return isHead(`${start}${line(size - start.length - 4)}\r\n\r\n`)
})
testBound(edge, 'defaultEdgeLimits.headerCount', (size) => isHead(`GET / HTTP/1.1\r\nhost: a\r\n${'x: 1\r\n'.repeat(size - 1)}\r\n`))
testBound(edge, 'defaultEdgeLimits.targetBytes', (size) => isHead(`GET /${'a'.repeat(size - 1)} HTTP/1.1\r\nhost: a\r\n\r\n`))
testBound(edge, 'defaultEdgeLimits.headerBytes', (size) => isHead(`GET / HTTP/1.1\r\nhost: a\r\n${line(size)}\r\n\r\n`))
testBound(edge, 'defaultEdgeLimits.bodyBytes', (size) => {
  const decoder = new ChunkedDecoder(defaultEdgeLimits.bodyBytes)
  decoder.decode(Buffer.from(`${size.toString(16)}\r\n`), 0, [])
  return isHead(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`) && decoder.flaw === undefined
})
testBound(edge, 'defaultEdgeLimits.answerHeadBytes', (size) => {
  const bare = formatAnswerHead(200, [['x', '']], '', size).length
  try {
    return formatAnswerHead(200, [['x', 'a'.repeat(size - bare)]], '', defaultEdgeLimits.answerHeadBytes).length === size
  } catch {
    return false
  }
})
testBound('gateway/edge/chunked-decoder.ts', 'sizeDigitsMax', (size) => {
  const decoder = new ChunkedDecoder(Number.POSITIVE_INFINITY)
  decoder.decode(Buffer.from(`${'f'.repeat(size)}\r\n`), 0, [])
  return decoder.flaw === undefined
})

testBound('gateway/identity/der.ts', 'membersMax', (size) => {
  try {
    return membersOf({ tag: derTag.sequence, content: Buffer.from('0500'.repeat(size), 'hex') }, derTag.sequence).length === size
  } catch {
    return false
  }
})
testBound('gateway/identity/certificate-identity.ts', 'certificateBytesMax', (size) => {
  const read = readCertificate(new Uint8Array(size))
  return read.kind === 'refused' && !read.reason.startsWith('larger')
})

testBound('gateway/access/a2a/read-params.ts', 'partsMax', (size) => {
  const row = methodRow('SendMessage')
  const message = { messageId: 'm', role: 'ROLE_USER', parts: Array.from({ length: size }, () => ({ text: '' })) }
  return row !== undefined && readParams(row, { message }).kind === 'read'
})
testBound('gateway/access/http/operation-template.ts', 'segmentsMax', (size) => {
  const path = '/a'.repeat(size)
  return readTarget(path, '', false).kind === 'read' && parseTemplate(path).kind === 'parsed'
})
testBound(
  'gateway/access/http/read-target.ts',
  'queryParametersMax',
  (size) => readTarget('/', Array.from({ length: size }, () => 'a=1').join('&'), false).kind === 'read',
)
testBound('gateway/access/http/openapi.ts', 'aliasesMax', (size) => {
  // What the aliases stand for counts too.
  const aliases = Array.from({ length: size - 1 }, () => '*a').join(', ')
  return importOpenApi(`openapi: 3.1.0\nx: [&a [b], ${aliases}]`, '').kind === 'imported'
})
testBound(
  'gateway/access/llm/llm-headers.ts',
  'betasMax',
  (size) => readBetas([['anthropic-beta', Array.from({ length: size }, (_, at) => `b${at}`).join(',')]]) !== undefined,
)
testBound(
  'gateway/access/llm/offered-tools.ts',
  'namesMax',
  (size) => readOfferedTools({ tools: Array.from({ length: size }, (_, at) => ({ name: `t${at}` })) }).kind === 'read',
)
testBound('gateway/access/llm/offered-tools.ts', 'depthMax', (size) => {
  let tool: Json = { name: 'inner' }
  for (let depth = 0; depth < size; depth += 1) tool = { function: tool }
  return readOfferedTools({ tools: [tool] }).kind === 'read'
})
const asked = (more: Readonly<Record<string, Json>>): boolean =>
  readLlmBody('chat.completions', { model: 'm', messages: [], ...more }, undefined).kind === 'read'
testBound('gateway/access/llm/read-llm-body.ts', 'tokensMax', (size) => asked({ max_tokens: size }))
testBound('gateway/access/llm/read-llm-body.ts', 'answersMax', (size) => asked({ n: size }))

testBound('gateway/access/mcp/json-rpc.ts', 'wordLengthMax', (size) => {
  const word = 'a'.repeat(size)
  const [byId, byMethod] = [readJsonRpc({ jsonrpc: '2.0', id: word, method: 'x' }), readJsonRpc({ jsonrpc: '2.0', id: 1, method: word })]
  return byId.kind === 'request' && byMethod.kind === 'request'
})
testBound('gateway/access/mcp/seal.ts', 'sealedLengthMax', (size) => {
  const key = createHash('sha256').update('key').digest()
  // 28 bytes of nonce and tag, two quotes, and base64url without padding, which has no text of some lengths.
  const bytes = Math.ceil((size * 3) / 4)
  const sealed = seal(key, 'session', 'a'.repeat(bytes - 28 - 2))
  return openSealed(key, 'session', sealed) !== undefined
})
