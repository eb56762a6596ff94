// Go, .NET and many others read the names of members without regard to case, and of two that are the same to them the last: not the one that was judged.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleConfiguration } from '@sallyport/contract'
import { judgedHttp } from '../fixtures/judged-http.ts'
import { McpBench } from '../fixtures/mcp-bench.ts'
import { afterHandshake, json, scriptedUpstream } from '../fixtures/mcp-upstreams.ts'

const small: RuleConfiguration = { id: 'small', match: { action: 'create_refund' }, when: 'double(args.body.amount) < 50.0', then: 'permit' }
const ask = judgedHttp([small], { operations: [{ name: 'create_refund', method: 'POST', path: '/refunds' }] })

const bodies = [
  '{"amount":10,"Amount":1000}',
  '{"AMOUNT":1000,"amount":10}',
  '{"amount":10,"\\u0041mount":1000}',
  '{"amount":10,"ａmount":1000}',
  '{"amount":10,"to":{"account":"a","ACCOUNT":"b"}}',
  '{"amount":10,"acc\\u017ft":1,"accst":2}', // the long s, which Go takes for an s
  '{"amount":10,"\\u212aind":1,"kind":2}', // the Kelvin sign
  '{"amount":10,"max_amount":10,"maxAmount":1000}', // both are names of one field in ProtoJSON
]

for (const body of bodies) {
  test(`${body} is not judged by half`, async () => {
    assert.equal(await ask({ method: 'POST', path: '/refunds', headers: [['content-type', 'application/json']], body }), 'access.malformed')
  })
}

test('names that no program takes for each other pass', async () => {
  const body = '{"amount":10,"_id":1,"id":2,"a-b":1,"ab":2,"__proto__":1,"proto":2}'
  assert.equal(await ask({ method: 'POST', path: '/refunds', headers: [['content-type', 'application/json']], body }), 'permit')
})

test('arguments of a tool are held to the same, and answers of an upstream are not', async () => {
  const answer = '{"content":[],"structuredContent":{"a":1,"A":2}}'
  await using upstream = await scriptedUpstream(
    afterHandshake(({ id }, response) => json(response, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${answer}}`)),
  )
  await using bench = await McpBench.open({ upstreams: { crm: { url: upstream.url } } })
  for (const body of bodies) {
    const { status } = await bench.post('/mcp/crm', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"refund","arguments":${body}}}`)
    assert.equal(status, 400)
  }
  assert.equal(upstream.seen.length, 0)
  const { text } = await bench.post('/mcp/crm', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'refund', arguments: { amount: 10 } } })
  assert.match(text, /"A":2/)
})
