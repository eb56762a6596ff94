import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorizationScenarios,
  freePort,
  isAboutClients,
  listedScenarios,
  runAuthorizationScenarios,
} from '../fixtures/conformance/authorization-scenarios.ts'
import { clientLoginGate, consent } from '../fixtures/client-login.ts'

test('the official scenarios for authorization servers pass, unmodified, at the address where a client reaches the gateway', async () => {
  await using gate = await clientLoginGate()
  const { url } = gate.bridge
  const port = await freePort()
  const verdicts = await runAuthorizationScenarios({
    url,
    clientId: gate.clientId,
    resource: `${url}/mcp/crm`,
    port,
    person: async (address) => {
      const sent = await fetch(address, { redirect: 'manual' })
      await fetch(await consent(sent.headers.get('location') ?? '', undefined, `http://127.0.0.1:${port}/`))
    },
  })
  assert.deepEqual(
    [...verdicts].map(([check, { status, message }]) => [check, status, message]),
    [
      ['authorization-code-grant: authorization-code-grant', 'SUCCESS', undefined],
      ['authorization-server-metadata-endpoint: authorization-server-metadata', 'SUCCESS', undefined],
      ['authorization-server-metadata-endpoint: authorization-server-metadata-cimd', 'SUCCESS', undefined],
    ],
  )
  assert.deepEqual(gate.people.whole.faults, [])
})

test('no official scenario about logging in is left out that a gateway could be asked', async () => {
  assert.deepEqual(await listedScenarios('authorization'), authorizationScenarios)
  const servers = await listedScenarios('server')
  assert.ok(servers.length > 50)
  assert.deepEqual(
    servers.filter((scenario) => /auth|oauth|token/.test(scenario)),
    [],
    'they do not log in',
  )
  const clients = await listedScenarios('client')
  assert.ok(clients.filter(isAboutClients).length > 30)
  assert.deepEqual(
    clients.filter((scenario) => /auth/.test(scenario) && !isAboutClients(scenario)),
    [],
  )
})
