/** What agents and upstreams write ends up in the records of other systems: it must not end a record early, begin another, or steer a terminal there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { LogEvent } from '@sallyport/contract'
import { syslogMessageBytesMax } from '../../packages/gateway/src/export/syslog.ts'
import { decisionOf, newSigner, temporaryFolder } from '../fixtures/log-folder.ts'
import { objectionsTo } from '../fixtures/ocsf/validate.ts'
import { appendEvents, runExport, toReceiver } from '../fixtures/running-export.ts'
import { parseSyslog, startReceiver } from '../fixtures/syslog.ts'

const hostile = [
  'line\nbreak\r\n<14>1 2026-01-01T00:00:00Z victim sshd - - - accepted password for root',
  '\u001b]0;owned\u0007\u001b[2J\u009b31m',
  'turned \u202Eround\u202C, zero\u200Bwidth, \u2028 and \u2029',
  '"] [forged@32473 decision="permit"] \uFEFF{"decision":"permit"}',
  '\\"] \\\\] \\',
  '"}\n{"index":9,"type":"admin"}',
  '\u0000\u007f\u0080\u009f',
  '5 <13>x 1024 ',
  '😀\u{E0041}'.repeat(200),
  'x'.repeat(50_000),
  '"\\]\u0001'.repeat(2_000),
]
/** As long as an entry takes them, whatever they are made of. */
const events = hostile.flatMap((text, number): LogEvent[] => {
  const decision = decisionOf(`request-${number}`, number * 2)
  const { time } = decisionOf('', number * 2 + 1)
  return [
    decision.type === 'decision' ? { ...decision, action: text, caller: { ...decision.caller, agent: text.slice(0, 1000) } } : decision,
    { v: 1, type: 'admin', time, act: 'block.set', person: text.slice(0, 5_000), subject: { [text.slice(0, 100)]: text.slice(0, 5_000) } },
  ]
})
const acting = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

for (const format of ['jsonl', 'ocsf', 'syslog'] as const) {
  test(`each entry is one line of ${format} in a file, without a character that acts, and says what the entry says`, async (t) => {
    const folder = temporaryFolder(t)
    await appendEvents(folder, newSigner(), events)
    const path = join(folder, 'out')
    const run = runExport(t, folder, { name: 'siem', format, to: { kind: 'file', path, rotateBytes: 1e9, keep: 1 } })
    await run.until(({ next }) => next === events.length)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, events.length)
    for (const [index, line] of lines.entries()) {
      assert.doesNotMatch(format === 'syslog' ? line.replace(' \uFEFF', ' ') : line, acting)
      if (format === 'syslog') assert.equal(parseSyslog(line).data.get('event@32473')?.get('index'), String(index))
      else {
        const value: Readonly<Record<string, unknown>> = JSON.parse(line)
        if (format === 'jsonl') assert.deepEqual(value, { log: 'agents.example/sallyport', index, ...events[index] })
        else assert.deepEqual([objectionsTo(value), JSON.parse(String(value['raw_data']))], [[], events[index]])
      }
    }
  })
}

test('each entry is one message of syslog over TLS, with the names of its own and no others, however long they are', async (t) => {
  const folder = temporaryFolder(t)
  await appendEvents(folder, newSigner(), events)
  const receiver = await startReceiver(t)
  const run = runExport(t, folder, { name: 'siem', format: 'syslog', to: toReceiver(receiver) })
  await run.until(({ next }) => next === events.length)
  assert.deepEqual(receiver.errors, [])
  assert.equal(receiver.frames.length, events.length)
  for (const [index, frame] of receiver.frames.entries()) {
    assert.ok(Buffer.byteLength(frame) <= syslogMessageBytesMax, `message ${index}`)
    const { data, message } = parseSyslog(frame)
    assert.deepEqual([...data.keys()], ['event@32473', 'origin'])
    assert.equal(data.get('event@32473')?.get('decision'), index % 2 === 0 ? 'permit' : undefined)
    assert.equal(JSON.parse(message).index, index)
  }
})
