import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { enroll, loadIdentity } from '../../packages/runtime/src/enrolment/index.ts'
import { callOnce, invoiceBot, invoiceBotId, openGate, tokenFor } from '../fixtures/identity-gate.ts'
import { readAll } from '../fixtures/mtls-echo.ts'

const program = fileURLToPath(new URL('../fixtures/agent-side-program.ts', import.meta.url))

test('[F1] of several processes that renew one identity at once, one asks the gateway and all go on with its certificate', async (t) => {
  const gate = await openGate()
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  t.after(async () => {
    await rm(directory, { recursive: true })
    await gate.close()
  })
  await enroll({ address: gate.enrolmentAddress, token: await tokenFor(gate), directory, gatewayAddress: gate.address })

  // Somebody else is at it until all three wait: none of them can have renewed before another began.
  const held = join(directory, `.identity.${Date.now() + 60_000}.1.f81d4fae-7dec-11d0-a765-00a0c91e6bf6.lock`)
  await writeFile(held, '')
  const children = [1, 2, 3].map(() =>
    spawn(process.execPath, [program, 'agent', 'renew', '--identity', directory, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const ended = children.map(async (child) => {
    const [text, [code]] = await Promise.all([readAll(child.stdout), once(child, 'close')])
    return { code, notAfter: JSON.parse(text).notAfter }
  })
  const waiting = new Set<string>()
  while (waiting.size < children.length) {
    const claims = (await readdir(directory)).filter((file) => children.some(({ pid }) => file.includes(`.${pid}.`)))
    for (const file of claims) waiting.add(file.split('.')[3] ?? '')
  }
  await rm(held)

  const all = await Promise.all(ended)
  assert.deepEqual(
    all.map(({ code }) => code),
    [0, 0, 0],
  )
  assert.equal(new Set(all.map(({ notAfter }) => notAfter)).size, 1)
  assert.equal((await gate.store.certificates(invoiceBot)).length, 2, 'the first, and one renewal')
  assert.equal((await callOnce(gate, await loadIdentity(directory))).body.id, invoiceBotId)
  assert.deepEqual(
    (await readdir(directory)).filter((file) => file.endsWith('.lock')),
    [],
  )
})
