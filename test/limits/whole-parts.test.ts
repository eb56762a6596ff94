import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileHttpUpstream } from '../../packages/gateway/src/access/http/compile-http-upstream.ts'
import { readJudgedJson } from '../../packages/gateway/src/access/judged-json.ts'
import { understandMcp } from '../../packages/gateway/src/access/mcp/understand-mcp.ts'
import { listenForAdmin } from '../../packages/gateway/src/control/admin/listen.ts'
import { handleEnrolment } from '../../packages/gateway/src/control/authority/handle-enrolment.ts'
import { readConfiguration } from '../../packages/gateway/src/control/configuration/read-configuration.ts'
import { LengthDecoder } from '../../packages/gateway/src/edge/body-decoder.ts'
import { IncomingBody } from '../../packages/gateway/src/edge/incoming-body.ts'
import { defaultEdgeLimits } from '../../packages/gateway/src/edge/limits.ts'
import { gatewayPath } from '../../packages/runtime/src/connect/gateway-path.ts'
import { Bench, callBy, principalOf, upstreamOf } from '../fixtures/access-request.ts'
import { inboundOf } from '../fixtures/http-forwarding.ts'
import { testBound, testLeast } from './bound.ts'

const principal = await principalOf('acme', 'bot')
const json = [['content-type', 'application/json']] as const

testBound('gateway/edge/limits.ts', 'defaultEdgeLimits.bodyBufferBytes', (size) => {
  let isHeld = false
  const source = { begin: () => undefined, hold: () => (isHeld = true), resume: () => undefined }
  const body = new IncomingBody(new LengthDecoder(2 * size), source, defaultEdgeLimits.bodyBufferBytes)
  body.receive(Buffer.alloc(size - 128), 0) // each piece counts for 128 bytes more than it has
  return !isHeld
})
testBound('gateway/access/judged-json.ts', 'jsonDepthMax', async (size) => {
  const inbound = inboundOf({ method: 'POST', body: '['.repeat(size) + ']'.repeat(size), headers: json })
  const judged = await readJudgedJson(inbound, { name: 'application/json', parameters: new Map() }, 10_000)
  return judged.kind === 'judged'
})
testBound('gateway/access/mcp/understand-mcp.ts', 'messageDepthMax', async (size) => {
  const crm = upstreamOf('crm')
  const upstream = {
    protocol: 'mcp',
    name: crm,
    transport: 'http',
    serverRequests: new Set<string>(),
    tools: 'unpinned',
    revision: '',
    messageBytesMax: 1,
  } as const
  const access = { upstreams: new Map([[crm, upstream]]), judgedBodyBytesMax: 10_000, sessionKey: new Uint8Array(32) }
  const nested = '['.repeat(size - 3) + ']'.repeat(size - 3)
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":${nested}}}}`
  return 'call' in (await understandMcp(access, principal, inboundOf({ method: 'POST', body, headers: json }), { upstream: crm }))
})
testBound('gateway/access/http/compile-http-upstream.ts', 'faultsMax', (size) => {
  const operations = Array.from({ length: size + 1 }, (_, at) => ({ name: 'same', method: 'GET' as const, path: `/a${at}` }))
  const compiled = compileHttpUpstream(upstreamOf('crm'), { protocol: 'http', url: 'https://crm.example', operations })
  return compiled.kind === 'invalid' && compiled.faults.length === size
})
testBound('gateway/policy/approvals.ts', 'approvalTtlDefaultMs', (size) => {
  const bench = new Bench([{ id: 'ask', match: {}, then: 'hold' }])
  const { nowMs } = bench
  bench.ask(callBy(principal))
  return bench.state.approvals.list(nowMs + size - 1).length === 1
})

testBound('gateway/control/authority/handle-enrolment.ts', 'enrolmentBytesMax', async (size) => {
  const inbound = inboundOf({ method: 'POST', path: '/enroll', body: ' '.repeat(size), headers: json })
  const answer = await handleEnrolment({ enrol: () => Promise.reject(new Error('nobody enrols here')) }, inbound, () => undefined)
  return answer.status !== 413
})
testBound('gateway/control/admin/listen.ts', 'adminBodyBytesMax', async (size) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-limit-'))
  const path = join(folder, 'admin')
  // The act is unknown, so no port is asked.
  const admin = await listenForAdmin(
    path,
    undefined as never,
    () => 'id',
    () => undefined,
  )
  try {
    return (await statusOf(path, size)) === 404
  } finally {
    await admin.close()
    rmSync(folder, { recursive: true })
  }
})
function statusOf(socketPath: string, size: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/v1/unknown', method: 'POST', headers: { 'content-length': size } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode)
    })
    asked.on('error', reject)
    asked.end(Buffer.alloc(size, 0x20))
  })
}

function isLifetime(ms: number): boolean {
  const text = `version: 1\ntrustDomain: a.example\ncertificates: { lifetime: ${ms}ms }\n`
  const read = readConfiguration({ text, fileName: 'sallyport.yaml' })
  return read.kind === 'read' || !read.faults.some(({ path }) => path[0] === 'certificates')
}
testLeast('contract/configuration/gateway.ts', 'certificateLifetimeMsRange.min', isLifetime)
testBound('contract/configuration/gateway.ts', 'certificateLifetimeMsRange.max', isLifetime)

testBound('runtime/connect/gateway-path.ts', 'namedMax', async (size) => {
  const known = Array.from({ length: size }, (_, at) => `host${at}`)
  const refusal = await gatewayPath({ kind: 'proxied', authority: 'other', pathAndQuery: '/' }, { find: () => Promise.resolve({ kind: 'unknown', known }) })
  return 'problem' in refusal && refusal.problem.detail?.includes(`host${size - 1}`) === true
})
