import assert from 'node:assert/strict'
import { test } from 'node:test'
import { behindGateway } from '../fixtures/conformance/behind-gateway.ts'
import { referenceServer } from '../fixtures/conformance/reference-server.ts'
import { revisions, runScenarios, worse } from '../fixtures/conformance/run-scenarios.ts'

for (const revision of revisions) {
  test(`every official scenario of ${revision} comes out through the gateway as it does at the server, where the operator lets the server ask`, async () => {
    await using server = await referenceServer()
    const serverRequests = ['sampling/createMessage', 'elicitation/create', 'roots/list']
    await using gateway = await behindGateway({ reference: { protocol: 'mcp', url: server.url, addresses: { allow: ['127.0.0.1/32'] }, serverRequests } })
    const [direct, through] = await Promise.all([runScenarios(server.url, revision), runScenarios(gateway.url('/reference'), revision)])
    assert.ok(direct.size > 80)
    const failing = [...direct].filter(([, { status }]) => status === 'FAILURE' || status === 'WARNING').map(([check]) => check)
    assert.deepEqual(failing, [], 'the server itself conforms')
    assert.deepEqual(worse(direct, through), [])
    assert.deepEqual(gateway.faults, [])
  })
}
