import assert from 'node:assert/strict'
import { test } from 'node:test'
import { behindGateway } from '../fixtures/conformance/behind-gateway.ts'
import { together, withoutNames, withoutServerRequests, type Difference } from '../fixtures/conformance/expected-differences.ts'
import { referenceServer } from '../fixtures/conformance/reference-server.ts'
import { revisions, runScenarios, worse } from '../fixtures/conformance/run-scenarios.ts'

for (const revision of revisions) {
  test(`with nothing but an address configured, scenarios of ${revision} come out worse exactly where the gateway denies on purpose`, async () => {
    await using server = await referenceServer()
    await using gateway = await behindGateway({ reference: { protocol: 'mcp', url: server.url, addresses: { allow: ['127.0.0.1/32'] } } })
    const direct = await runScenarios(server.url, revision)
    const through = await runScenarios(gateway.url('/reference'), revision)
    assert.deepEqual(worse(direct, through).toSorted(), checksOf(withoutServerRequests[revision]))
    assert.deepEqual(gateway.faults, [])
  })

  test(`at the address of all upstreams together, scenarios of ${revision} that name nothing come out worse exactly where it is explained`, async () => {
    await using server = await referenceServer()
    await using gateway = await behindGateway({ reference: { protocol: 'mcp', url: server.url, addresses: { allow: ['127.0.0.1/32'] } } })
    const direct = await runScenarios(server.url, revision)
    const through = await runScenarios(gateway.url(''), revision)
    const differing = worse(direct, through).filter((check) => withoutNames.includes(check.split(':')[0] ?? ''))
    assert.deepEqual(differing.toSorted(), checksOf(together[revision]))
  })
}

function checksOf(differences: readonly Difference[]): readonly string[] {
  return differences.flatMap(({ checks }) => checks).toSorted()
}
