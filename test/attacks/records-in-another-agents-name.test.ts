import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('an agent that names another one in its records, by whatever member, records nothing, and what it records stands under its own name', async () => {
  await using whole = await wholeGateway()
  await configureRecording(whole)
  await whole.enrolAgent('mallory')
  const bot = await recorder(whole)
  await bot.open()
  await bot.send(1, [happened('tool.ran')])
  const mallory = await recorder(whole, 'mallory')
  await mallory.open()
  const names = { agent: 'bot', tenant: 'acme', caller: { tenant: 'acme', agent: 'bot' }, sequence: 2, id: 'spiffe://agents.example/tenant/acme/agent/bot' }
  for (const [name, value] of Object.entries(names)) {
    assert.equal((await mallory.send(1, [happened('tool.ran')], { [name]: value })).said, 'access.malformed', name)
    assert.equal((await mallory.send(1, [{ ...happened('tool.ran'), [name]: value }])).said, 'access.malformed', name)
  }
  assert.equal((await mallory.send(1, [happened('tool.ran', { agent: 'bot' })])).said, 'answered', 'a fact is its own claim')
  const records = (await whole.events()).flatMap((event) => (event.type === 'record' ? [[event.caller.agent, event.sequence]] : []))
  assert.deepEqual(records, [
    ['bot', 1],
    ['mallory', 1],
  ])
})
