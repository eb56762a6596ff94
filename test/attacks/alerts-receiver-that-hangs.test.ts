import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { ownPaths } from '@sallyport/contract'
import { alertReceiver, alertSecret, alertsTo } from '../fixtures/alert-receiver.ts'
import { askAgent, openedSession, people } from '../fixtures/people.ts'

/** Bytes for as long as anyone reads. */
function endless(outgoing: ServerResponse, meter: { bytes: number }): void {
  outgoing.writeHead(200)
  const piece = Buffer.alloc(65_536)
  const more = (): void => {
    while (!outgoing.destroyed && outgoing.write(piece)) meter.bytes += piece.length
  }
  outgoing.on('drain', more)
  more()
}

for (const lie of ['never answers', 'never ends its answer'] as const) {
  test(`a receiver of alerts that ${lie} holds up no refresh, no end of the gateway, and little memory`, async () => {
    const meter = { bytes: 0 }
    await using receiver = await alertReceiver((_, outgoing) => lie === 'never ends its answer' && endless(outgoing, meter))
    await using all = await people({ more: alertsTo(receiver, { refreshesPerAgent: 1, refreshesPerTenant: 1 }) })
    await all.whole.admin('secret.set', { name: 'alert-receiver', value: alertSecret, person: 'oscar' })
    let { handle } = await openedSession(all)
    for (let times = 0; times < 5; times += 1) {
      const { said, body } = await askAgent(all, ownPaths.sessionRefresh, { handle })
      assert.equal(said, 'answered')
      handle = String(body['handle'])
    }
    await receiver.alertOf('refresh-burst')
    const startedAt = performance.now()
    await all.whole.stop()
    assert.ok(performance.now() - startedAt < 3000, 'the end waits for no receiver')
    assert.ok(meter.bytes < 64 * 1024 ** 2, `${meter.bytes} bytes`)
  })
}
