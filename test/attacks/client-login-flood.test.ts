import assert from 'node:assert/strict'
import test from 'node:test'
import { loginsPerAgentMax } from '../../packages/gateway/src/control/login/logins.ts'
import { clientLoginGate } from '../fixtures/client-login.ts'

test('authorization requests without end take the places of one agent alone, and fetch the program’s document once', async () => {
  await using gate = await clientLoginGate()
  const other = await gate.bridgeOf('other')
  for (let times = 0; times < loginsPerAgentMax; times += 1) assert.match((await gate.ask()).location, /\/login\//)
  const past = new URL((await gate.ask()).location)
  assert.deepEqual([past.host, past.searchParams.get('error')], ['127.0.0.1:33418', 'temporarily_unavailable'])
  assert.match((await gate.ask({ resource: `${other.bridge.url}/mcp/crm` }, other.bridge)).location, /\/login\//)
  assert.deepEqual(gate.fetched, ['/client.json'])
})
