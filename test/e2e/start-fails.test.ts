import assert from 'node:assert/strict'
import { mkdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

test('a start that fails says why, though closing what was open fails too, and leaves nothing open', async () => {
  await using taken = await wholeGateway()
  await taken.configure([])
  const { addresses } = await taken.start()
  await using whole = await wholeGateway()
  await whole.configure([])
  await whole.start()
  await whole.stop()

  await whole.configure([], [], addresses.agents)
  const obstacle = join(whole.data, 'log', 'checkpoint.new') // the log cannot publish its checkpoint when it closes
  await mkdir(obstacle)
  await assert.rejects(whole.start(), /cannot listen on .*EADDRINUSE/)
  assert.match(whole.faults.join(), /close\.failed: .*cannot write checkpoint/)

  await rmdir(obstacle)
  await whole.configure([])
  await whole.start()
})
