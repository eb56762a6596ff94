import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

const program = fileURLToPath(new URL('../fixtures/agent-side-program.ts', import.meta.url))

test(
  'an agent enrols with a token that no other user of its host sees in /proc',
  { skip: process.platform === 'linux' ? false : 'there is no /proc' },
  async () => {
    await using whole = await wholeGateway()
    await whole.configure([], [], `127.0.0.1:${await freePort()}`) // the gateway tells who enrols where agents call
    const { addresses } = await whole.start()
    const added = await whole.admin('agent.add', { tenant: 'acme', agent: 'bot', person: 'alice' })
    assert.ok(typeof added === 'object' && added !== null && 'token' in added && typeof added.token === 'string')
    const directory = join(whole.folder, 'bot')
    const args = [program, 'agent', 'enroll', '--token', '-', '--gateway', addresses.enrolment ?? '', '--out', directory]
    const child = spawn(process.execPath, args, { env: {}, stdio: ['pipe', 'ignore', 'inherit'] })
    await once(child, 'spawn')
    const seen = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8')
    child.stdin.end(`${added.token}\n`)
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert.ok(seen.includes('enroll') && !seen.includes(added.token))
    assert.equal((await (await whole.agent()).whoami()).kind, 'whoami')
  },
)

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address ? address.port : assert.fail()
}
