import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepPayloadsMs, payloadBytesMaxDefault, payloadLimits } from './payload-limits.ts'

test('one agent has a quarter of the room, unless the configuration says otherwise', () => {
  assert.deepEqual(payloadLimits(), { bytes: payloadBytesMaxDefault, agentBytes: payloadBytesMaxDefault / 4 })
  assert.deepEqual(payloadLimits({ size: '4MiB' }), { bytes: 4_194_304, agentBytes: 1_048_576 })
  assert.deepEqual(payloadLimits({ size: '4MiB', sizePerAgent: '2MiB' }), { bytes: 4_194_304, agentBytes: 2_097_152 })
})

test('without a time arguments are kept without end', () => {
  assert.deepEqual([keepPayloadsMs(), keepPayloadsMs({}), keepPayloadsMs({ keep: '2d' })], [undefined, undefined, 172_800_000])
})
