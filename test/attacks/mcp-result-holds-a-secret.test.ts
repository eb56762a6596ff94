// A tool answers in more places than its text: structured content, progress, log messages, errors, the names of members, a stream that is resumed.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { ResultRuleConfiguration } from '@sallyport/contract'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream, sse } from '../fixtures/mcp-upstreams.ts'
import { credential, denySecrets, redacted, redactSecrets } from '../fixtures/results.ts'

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', _meta: { progressToken: 4111111111111111 } } }

async function ask(answer: (response: ServerResponse) => void, results: readonly ResultRuleConfiguration[], verb: 'GET' | 'POST' = 'POST') {
  await using upstream = await scriptedUpstream((request, response) =>
    request.method === 'GET' ? answer(response) : afterHandshake((_, answered) => answer(answered))(request, response),
  )
  await using bench = await McpBench.open({ upstreams: { files: { url: upstream.url } }, results })
  const headers = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' }
  const post = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(call) }
  const response = await fetch(bench.url('/mcp/files'), verb === 'GET' ? { headers } : post)
  const text = await response.text()
  const told = await bench.toldOf(({ facts, problem }) => facts !== undefined || problem !== undefined)
  return { text, status: response.status, told }
}

const result = {
  content: [{ type: 'text', text: `it is ${credential}` }],
  structuredContent: { a: [{ [credential]: credential }], card: 4111111111111111, n: 1 },
  _meta: { 'x/y': credential },
}

test('a result is redacted everywhere, and stays one message', async () => {
  const { text, told } = await ask((response) => json(response, { jsonrpc: '2.0', id: 1, result }), [{ ...redactSecrets, detect: ['secret', 'personal'] }])
  assert.deepEqual(JSON.parse(text), {
    jsonrpc: '2.0',
    id: 1,
    result: {
      content: [{ type: 'text', text: `it is ${redacted}` }],
      structuredContent: { a: [{ [redacted]: redacted }], card: '[redacted personal/credit-card]', n: 1 },
      _meta: { 'x/y': redacted },
    },
  })
  assert.deepEqual(told.facts?.found, [
    { rule: 'no-secrets', detector: 'secret/github-token', count: 4 },
    { rule: 'no-secrets', detector: 'personal/credit-card', count: 1 },
  ])
})

const notes = [
  { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 4111111111111111, progress: 1, message: `read ${credential}` } },
  { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: { deep: [credential] } } },
  { jsonrpc: '2.0', id: 1, result: { content: [] } },
]

test('progress and log messages are redacted, and still belong to their call', async () => {
  const { text } = await ask((response) => sse(response, ...notes), [{ ...redactSecrets, detect: ['secret', 'personal'] }])
  assert.doesNotMatch(text, /ghp_/)
  assert.equal(text.split(redacted).length, 3)
  assert.match(text, /"progressToken":4111111111111111/)
})

test('an error is redacted', async () => {
  const error = { code: -32000, message: `bad token ${credential}`, data: { token: credential } }
  const { text } = await ask((response) => json(response, { jsonrpc: '2.0', id: 1, error }), [redactSecrets])
  assert.deepEqual(JSON.parse(text).error, { code: -32000, message: `bad token ${redacted}`, data: { token: redacted } })
})

test('a denied result is refused as MCP refuses, and its outcome says so', async () => {
  const { text, told } = await ask((response) => json(response, { jsonrpc: '2.0', id: 1, result }), [denySecrets])
  const { error } = JSON.parse(text)
  assert.equal(error.data.code, 'policy.result-denied')
  assert.deepEqual([told.facts?.result, told.facts?.code, told.facts?.found?.length], ['refused', 'policy.result-denied', 1])
})

test('a stream is broken off before the message that is denied, with the reason as its answer', async () => {
  const { text, told } = await ask((response) => sse(response, ...notes), [denySecrets])
  assert.doesNotMatch(text, /ghp_/)
  assert.match(text, /"code":"policy\.result-denied"/)
  assert.deepEqual([told.facts?.result, told.facts?.code], ['failed', 'policy.result-denied'])
})

test('on a stream that may be resumed rules apply whatever action they are about', async () => {
  const rule: ResultRuleConfiguration = { ...redactSecrets, match: { action: 'read' } }
  const answer = (response: ServerResponse): void => {
    sse(response, { jsonrpc: '2.0', id: 1, result })
    response.end()
  }
  assert.doesNotMatch((await ask(answer, [rule], 'GET')).text, /ghp_/)
  assert.match((await ask(answer, [{ ...rule, match: { action: 'other' } }])).text, /ghp_/)
})

test('in shadow mode a message passes as it is, and what is found is counted', async () => {
  const { text, told } = await ask((response) => json(response, { jsonrpc: '2.0', id: 1, result }), [{ ...denySecrets, mode: 'shadow' }])
  assert.deepEqual(JSON.parse(text).result, result)
  assert.deepEqual(told.facts?.found, [{ rule: 'never-secrets', detector: 'secret/github-token', count: 4, shadow: true }])
})
