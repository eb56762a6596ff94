// A tool that shows its environment, or an error message with a connection string in it, would hand the secret of a program to the agent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crookedServer, McpBench } from '../fixtures/mcp-bench.ts'

const secret = 's3cret/of+the"crm'
const secrets = { API_TOKEN: 'crm-token', DATABASE_URL: 'database' }
const values = { 'crm-token': secret, database: 'postgres://app:pa55-w0rd-x@db.internal/crm' }

function open(): Promise<McpBench> {
  return McpBench.open({ upstreams: { crooked: crookedServer({ env: { MODE: 'test' }, secrets }) }, secrets: values })
}

test('a program’s secrets are masked in what its tools answer, as they stand and in other spellings [T15]', async () => {
  await using bench = await open()
  await using client = await bench.connect('/mcp/crooked')
  const shown = JSON.stringify(await client.callTool({ name: 'environment' }))
  assert.match(shown, /MODE/)
  assert.doesNotMatch(shown, /s3cret|pa55|db\.internal/)
  for (const spelling of [Buffer.from(secret).toString('base64'), encodeURIComponent(secret), 'wrong password pa55-w0rd-x']) {
    const { content } = await client.callTool({ name: 'say', arguments: { word: spelling } })
    assert.match(JSON.stringify(content), /\*{10}/, spelling)
  }
})

test('a program’s secrets are masked in what it says unasked and on its error stream [T15]', async () => {
  await using bench = await open()
  await using client = await bench.connect('/mcp/crooked')
  const errors = (): string => bench.children.map((child) => child.errors).join('')
  while (!errors().includes('\n')) await client.callTool({ name: 'complain' }) // the two streams have no order
  assert.match(errors(), /^no access with \*+\n/)
})
