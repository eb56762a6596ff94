import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { makeAuthority, serverNames } from '../fixtures/edge-pki.ts'
import { decisionOf, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'
import { fetchRsyslog, startRsyslog } from '../fixtures/rsyslog.ts'
import { appendEvents, runExport, toReceiver } from '../fixtures/running-export.ts'

const size = 3_000
const hostile = [
  'plain',
  'line\nbreak\r\n<14>1 - victim sshd - - - accepted',
  '"] [forged@32473 decision="permit"]',
  '\u001b[2J\u009b',
  '\\"] \\',
  'x'.repeat(20_000),
]

test('rsyslog receives every entry under its own names, also when it is stopped in between', async (t) => {
  const folder = temporaryFolder(t)
  const fetched = await fetchRsyslog(folder)
  if ('missing' in fetched) return t.skip(fetched.missing)
  const authority = await makeAuthority()
  const credentials = await authority.issue({ names: serverNames, usage: 'server' })
  const work = join(folder, 'work')
  mkdirSync(work)
  const first = await startRsyslog(fetched.root, work, credentials, authority.rootPem)
  t.after(() => first.stop())
  await appendEvents(
    folder,
    newSigner(),
    Array.from({ length: size }, (_, number) => ({ ...decisionOf(`request-${number}`, number), action: hostile[number % hostile.length] ?? '' })),
  )
  const run = runExport(t, folder, { name: 'siem', format: 'syslog', to: toReceiver({ port: first.port, authority }) })
  while (first.lines().length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await first.stop()
  const second = await startRsyslog(fetched.root, work, credentials, authority.rootPem, first.port)
  t.after(() => second.stop())
  await run.until(({ next }) => next === size)
  await second.stop()
  const seen = new Set<number>()
  for (const { id, data, message } of second.lines()) {
    const [, index] = / index="([0-9]+)"/.exec(data) ?? []
    const number = Number(index)
    seen.add(number)
    assert.equal(id, 'decision')
    assert.match(data, /^\[event@32473 log="agents\.example\/sallyport" /)
    assert.equal(JSON.parse(message.replace(/^\uFEFF/, '')).index, number)
  }
  assert.deepEqual(
    [...seen].sort((one, other) => one - other),
    Array.from({ length: size }, (_, number) => number),
  )
})
