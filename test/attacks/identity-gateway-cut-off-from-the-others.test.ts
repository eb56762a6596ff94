import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { askAt, startCluster, type Cluster } from '../fixtures/cluster.ts'
import { startPostgres } from '../fixtures/postgres.ts'

const atTheOther = async (cluster: Cluster): Promise<string> => (await askAt(cluster, cluster.other, ownPaths.whoami)).said

test('whoever cuts a gateway off from the database does not keep a revoked agent alive there: it refuses everyone until it hears again', async () => {
  const postgres = await startPostgres()
  try {
    await using cluster = await startCluster(postgres, { trustFor: '2s' })
    const { people, other, line } = cluster
    assert.equal(await atTheOther(cluster), 'answered')
    line.hold()
    await people.whole.admin('agent.revoke', { tenant: 'acme', agent: 'bot', person: 'oscar' })
    const until = Date.now() + 3000
    while ((await atTheOther(cluster)) === 'answered') assert.ok(Date.now() < until, 'a revoked agent goes on at a gateway that hears nothing')
    assert.equal(await atTheOther(cluster), 'identity.standing-unknown')
    const { operations } = other.running.addresses
    assert.equal((await fetch(`http://${operations}/readyz`)).status, 503)
    assert.equal((await askAt(cluster, people.whole, ownPaths.whoami)).said, 'identity.unauthenticated', 'the others go on')

    line.release()
    while ((await atTheOther(cluster)) === 'identity.standing-unknown') await new Promise((resolve) => setTimeout(resolve, 50))
    assert.equal(await atTheOther(cluster), 'identity.unauthenticated')
    assert.equal((await fetch(`http://${operations}/readyz`)).status, 200)
  } finally {
    await postgres.stop()
  }
})
