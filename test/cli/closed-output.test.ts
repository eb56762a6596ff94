// Whoever reads the output of a command may go away at any time: `| head`, a log collector that restarts.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const program = join(import.meta.dirname, '../../bin/sallyport.ts')

test('a gateway goes on when nobody reads its output any more', async () => {
  await using whole = await wholeGateway()
  await whole.configure([])
  const child = spawn(process.execPath, [program, 'up', '--json', '-c', whole.configurationFile, '--data', whole.data])
  const ended = once(child, 'exit')
  try {
    const [said] = await once(child.stdout, 'data')
    const { addresses } = JSON.parse(String(said))
    child.stdout.destroy()
    child.stderr.destroy()
    // A refused enrolment is told on the error stream.
    const asked = request(`https://${addresses.enrolment}/`, { rejectUnauthorized: false, agent: false }).end()
    const [refusal] = await once(asked, 'response')
    refusal.resume()
    await once(refusal, 'end')
    const { status } = await fetch(`http://${addresses.operations}/readyz`)
    assert.equal(status, 200)
  } finally {
    child.kill('SIGTERM')
  }
  assert.deepEqual(await ended, [0, null])
})

test('a command whose reader has seen enough ends quietly', async () => {
  await using whole = await wholeGateway()
  await whole.configure([])
  await whole.start()
  await whole.stop()
  for (const command of [`log tail --data '${whole.data}'`, `log tail --follow --data '${whole.data}'`, 'help explain']) {
    // `true` has gone before Node has started, so that what it sees does not depend on who is faster.
    const shell = `set -o pipefail; '${process.execPath}' '${program}' ${command} | true`
    const { stderr, status } = spawnSync('bash', ['-c', shell], { encoding: 'utf8', timeout: 20_000 })
    assert.deepEqual([stderr, status], ['', 0], command)
  }
})
