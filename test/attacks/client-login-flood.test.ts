import assert from 'node:assert/strict'
import test from 'node:test'
import { Browser } from '../fixtures/browser.ts'
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

test('logins that are made to fail keep their places, so that one agent cannot fill those of all programs with them', async () => {
  await using gate = await clientLoginGate()
  gate.people.provider.fault('/token', 'empty-400')
  for (let times = 0; times < loginsPerAgentMax; times += 1) {
    const browser = new Browser()
    const failed = await browser.submit(await browser.open((await gate.ask()).location))
    assert.match(failed.text, /login\.provider-failed/)
  }
  assert.equal(new URL((await gate.ask()).location).searchParams.get('error'), 'temporarily_unavailable')
  const other = await gate.bridgeOf('other')
  assert.match((await gate.ask({ resource: `${other.bridge.url}/mcp/crm` }, other.bridge)).location, /\/login\//)
})

test('logins that end well make room at once', async () => {
  await using gate = await clientLoginGate()
  for (let times = 0; times < loginsPerAgentMax + 1; times += 1) assert.ok((await gate.logIn()).searchParams.has('code'))
})
