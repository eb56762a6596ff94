import { test } from 'node:test'
import { recordThroughKills } from '../fixtures/record-channel.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

for (const threads of [0, 1, 2]) {
  test(`[L2] what was acknowledged is in the log of gateways that are killed, and the run goes on after them, with ${threads} threads`, async () => {
    await using whole = await wholeGateway()
    whole.threads = threads
    await recordThroughKills(whole, 3)
  })
}
