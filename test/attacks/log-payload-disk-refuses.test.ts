// Whoever can make the disk fail wants calls to pass without what must be kept of them.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { cited, refund, startedCapturing } from '../fixtures/captured.ts'

for (const threads of [0, 2]) {
  test(`[L4] with ${threads} threads, a call whose arguments cannot be kept is refused and does not leave; others are served`, async () => {
    const capture = { default: 'sealed', rules: [{ match: { agent: 'quiet' }, then: 'off' }] }
    await using whole = await startedCapturing(capture, threads)
    await whole.enrolAgent('quiet')
    await writeFile(join(whole.data, 'payloads'), 'no folder')
    assert.equal(await refund(whole, { amount: 1 }), 'audit.payload-unavailable')
    assert.equal(whole.seen.length, 0)
    assert.deepEqual(await cited(whole), [])
    assert.equal(await refund(whole, { amount: 1 }, 'quiet'), '200')
    assert.equal(whole.seen.length, 1)
    while (!(await whole.events()).some((event) => event.type === 'refusal' && event.code === 'audit.payload-unavailable'))
      await new Promise((resolve) => setImmediate(resolve))
  })
}
