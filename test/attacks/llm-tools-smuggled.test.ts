// A rule denies a tool by its name. The agent offers it in a shape in which the rule does not find it and the provider does.
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertRefused, chat, LlmGateway } from '../fixtures/llm-gateway.ts'

const rules = [
  { id: 'all', match: {}, then: 'permit' },
  { id: 'no-shell', match: {}, when: '"shell" in args.tools', then: 'deny' },
]

const shown: readonly object[] = [
  { tools: [{ type: 'function', function: { name: 'shell' } }] },
  { tools: [{ type: 'function', name: 'shell' }] },
  { tools: [{ type: 'function', name: 'harmless', function: { name: 'shell' } }] },
  { tools: [{ type: 'function', name: 'shell', function: { name: 'harmless' } }] },
  { tools: [{ type: 'custom', custom: { name: 'shell' } }] },
  { tools: [{ type: 'shell' }] },
  { tools: [{ type: 'shell', name: 'harmless' }] },
  { tools: [{ type: 'namespace', name: 'host', tools: [{ type: 'function', name: 'shell' }] }] },
  { tools: [{ type: 'mcp', server_label: 'shell', server_url: 'https://mcp.example' }] },
  { tools: [{ name: 'shell', input_schema: { type: 'object' } }] },
  { tools: [{ type: 'bash_20250124', name: 'shell' }] },
  { tools: [{ type: 'mcp_toolset', mcp_server_name: 'shell' }] },
  { functions: [{ name: 'shell', parameters: {} }] },
  { functions: [{ name: 'harmless' }], function_call: { name: 'shell' } },
  { tool_choice: { type: 'function', function: { name: 'shell' } } },
  { tool_choice: { type: 'tool', name: 'shell' } },
  { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'shell' } }] } } },
  { mcp_servers: [{ type: 'url', url: 'https://mcp.example', name: 'shell' }] },
  {
    tools: [
      ...Array.from({ length: 900 }, (_, index) => ({ type: 'function', function: { name: `f${index}` } })),
      { type: 'function', function: { name: 'shell' } },
    ],
  },
]

const unusual: readonly object[] = [
  { tools: { type: 'function', function: { name: 'shell' } } },
  { tools: 'shell' },
  { tools: [['shell']] },
  { tools: ['shell'] },
  { tools: [{ type: 'function' }] },
  { tools: [{}] },
  { tools: [{ type: 'function', function: 'shell' }] },
  { tools: [{ type: 'function', function: { name: ['shell'] } }] },
  { tools: [{ type: 'function', function: { name: ' shell' } }] },
  { tools: [{ type: 'function', function: { name: 'shell\u0000' } }] },
  { tools: [{ type: 'function', function: { name: 'ѕhell' } }] },
  { tools: [{ type: 'function', Function: { name: 'shell' } }] },
  { tools: [{ type: 'function', function: { name: 'harmless', Name: 'shell' } }] },
  { tools: [{ type: ['shell'], name: 'harmless' }] },
  { Tools: [{ type: 'function', function: { name: 'shell' } }] },
  { toolſ: [{ type: 'function', function: { name: 'shell' } }] },
  { tools: [], TOOLS: [{ type: 'function', function: { name: 'shell' } }] },
  { tools: Array.from({ length: 1001 }, (_, index) => ({ type: 'function', function: { name: `f${index}` } })) },
  { tools: [{ name: 'a', tools: [{ name: 'b', tools: [{ name: 'c', tools: [{ name: 'd', tools: [{ name: 'e', tools: [{ name: 'shell' }] }] }] }] }] }] },
]

test('a tool is found in whatever shape it is offered, and unusual shapes are refused [T5] [T11]', async () => {
  await using gateway = await LlmGateway.start({ rules })
  const places = [
    { upstream: 'openai', path: '/v1/chat/completions', body: chat('m', { max_tokens: 5 }) },
    { upstream: 'openai', path: '/v1/responses', body: { model: 'm', input: 'hi' } },
    { upstream: 'anthropic', path: '/v1/messages', body: chat('m', { max_tokens: 5 }) },
  ]
  for (const { body, ...place } of places) {
    for (const offer of shown) assertRefused(await gateway.ask({ ...place, body: { ...body, ...offer } }), 'policy.denied')
    for (const offer of unusual) assertRefused(await gateway.ask({ ...place, body: { ...body, ...offer } }), 'access.malformed')
  }
  assert.deepEqual(gateway.provider.asked, [])
  const harmless = [{ type: 'function', function: { name: 'harmless' } }]
  assert.equal((await gateway.ask({ body: chat('use-1-1', { tools: harmless, tool_choice: 'auto' }) })).status, 200)
})

test('a tool of the provider itself can be denied by its type, and a beta feature by its name [T11]', async () => {
  const forbidden = ['web_search_preview', 'mcp', 'code_execution_20250825', 'web_search']
  await using gateway = await LlmGateway.start({
    rules: [
      { id: 'all', match: {}, then: 'permit' },
      { id: 'no-own-tools', match: {}, when: `args.tools.exists(tool, tool in ${JSON.stringify(forbidden)})`, then: 'deny' },
      { id: 'no-betas', match: {}, when: 'args.betas.exists(beta, beta.startsWith("mcp-client"))', then: 'deny' },
    ],
  })
  const offers = [
    { tools: [{ type: 'web_search_preview' }] },
    { tools: [{ type: 'mcp', server_label: 'x', server_url: 'https://mcp.example' }] },
    { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
    { web_search_options: {} },
    { mcp_servers: [{ type: 'url', url: 'https://mcp.example', name: 'x' }] },
  ]
  for (const offer of offers) assertRefused(await gateway.ask({ body: chat('m', offer) }), 'policy.denied')
  for (const value of ['mcp-client-2025-04-04', 'context-1m-2025-08-07, mcp-client-2025-04-04']) {
    const headers = { 'anthropic-beta': value }
    assertRefused(await gateway.ask({ upstream: 'anthropic', path: '/v1/messages', headers, body: chat('m', { max_tokens: 5 }) }), 'policy.denied')
  }
  assert.deepEqual(gateway.provider.asked, [])
})
