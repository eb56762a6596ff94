import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compileMcpUpstream } from '../../../packages/gateway/src/access/mcp/mcp-upstream.ts'
import { sealSession } from '../../../packages/gateway/src/access/mcp/sealed-session.ts'
import { understandMcp } from '../../../packages/gateway/src/access/mcp/understand-mcp.ts'
import type { HeaderLines, Inbound } from '../../../packages/gateway/src/edge/inbound.ts'
import { readClientMessage } from '../../../packages/runtime/src/connect/rpc-message.ts'
import { principalOf, upstreamOf } from '../../fixtures/access-request.ts'
import { bytesOf, latin1, type Target } from '../target.ts'

const principal = await principalOf('acme', 'invoice-bot')
const crm = upstreamOf('crm')
const upstream = compileMcpUpstream(crm, { protocol: 'mcp', url: 'https://crm.example', serverRequests: ['roots/list'] })
const sessionKey = Buffer.alloc(32, 9)
const access = { upstreams: new Map([[crm, upstream]]), judgedBodyBytesMax: 4096, sessionKey }
const session = sealSession(sessionKey, { agent: principal.id, upstream: crm }, 'theirs')

const json = 'content-type: application/json'
const modern = 'mcp-protocol-version: 2026-07-28'
const meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}'
const messages = [
  [[json], '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"refund","arguments":{"amount":5,"to":"a"}}}'],
  [
    [json, modern, 'mcp-method: tools/call', 'mcp-name: refund', 'mcp-param-amount: 5'],
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"refund","arguments":{"amount":5},${meta}}}`,
  ],
  [[json, 'mcp-protocol-version: 2025-11-25', `mcp-session-id: ${session}`], '{"jsonrpc":"2.0","id":"a","method":"prompts/get","params":{"name":"hello"}}'],
  [[json], '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///a"}}'],
  [[json], '{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"b"}}}'],
  [[json], '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}'],
  [[json], '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'],
  [[json], '{"jsonrpc":"2.0","id":1,"result":{}}'],
] as const

/**
 * A header per line, an empty line, and the body of a POST to an MCP endpoint. What is understood is what the body says to `JSON.parse`: the tool is the action,
 * its arguments are the args, and the message that goes on is the one that was judged. What the gateway takes, the agent's side takes for the same.
 */
export const mcpTarget: Target = {
  name: 'access-mcp',
  inputs: fc.constantFrom(...messages).map(([headers, body]) => bytesOf(`${headers.join('\n')}\n\n${body}`)),
  words: [
    '\n\n',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"id":',
    '"id":null',
    '"method":"tools/call"',
    '"params":{}',
    '"arguments":{}',
    '"name":"crm__refund"',
    '"__proto__":{}',
    '"constructor":1',
    '"inputResponses":{}',
    'tools/list',
    'x/y',
    'mcp-name: x\n',
    `${modern}\n`,
    '\\u0000',
    '=?base64?cmVmdW5k?=',
  ],
  bytesMax: 4096,
  async check(input) {
    const [head = '', ...rest] = latin1(input).split('\n\n')
    const body = Buffer.from(rest.join('\n\n'), 'latin1')
    for (const direct of [true, false]) {
      const request = await understandMcp(access, principal, inboundOf(headersOf(head), body), { upstream: direct ? crm : undefined })
      if ('problem' in request) {
        assert.match(request.problem.code, /^access\./)
        continue
      }
      const said: unknown = JSON.parse(body.toString('utf8'))
      assert.ok(isRecord(said) && request.call.kind === 'mcp' && request.call.message)
      const params = isRecord(said['params']) ? said['params'] : {}
      const name = direct ? params['name'] : String(params['name']).replace(/^crm__/, '')
      if (said['method'] === 'tools/call') {
        assert.equal(request.action, name)
        assert.equal(JSON.stringify(request.args), JSON.stringify(params['arguments'] ?? {}))
        assert.equal(request.standing, 'call')
      }
      const sent = request.call.message
      if (direct && sent.kind !== 'response') assert.equal(JSON.stringify(sent.value), JSON.stringify(said))
      const theirs = readClientMessage(body.toString('utf8'), 4096)
      assert.equal(theirs.kind, sent.kind)
      if (sent.kind !== 'response' && 'method' in theirs) assert.equal(theirs.method, sent.method)
    }
  },
}

function headersOf(head: string): HeaderLines {
  return head.split('\n').flatMap((line) => {
    const colon = line.indexOf(':')
    return colon <= 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const]
  })
}

function inboundOf(headers: HeaderLines, bytes: Uint8Array): Inbound {
  return {
    id: 'request',
    receivedAt: 0,
    connection: { certificate: new Uint8Array(0), issuers: [], remoteAddress: '192.0.2.1' },
    method: 'POST',
    path: '/mcp',
    query: '',
    headers,
    body: {
      length: bytes.length,
      async *read() {
        yield await Promise.resolve(bytes)
      },
    },
    signal: new AbortController().signal,
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
