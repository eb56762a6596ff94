import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { logEvent } from '@sallyport/contract'
import { parseSyslog } from '../../../../test/fixtures/syslog.ts'
import { structuredValueUnitsMax, syslogMessage, syslogMessageBytesMax } from './syslog.ts'

const exporter = { log: 'agents.example/sallyport', host: 'gate', version: '0.1.0' }
const written = readFileSync('test/fixtures/entries-0.1.0.jsonl', 'utf8').trimEnd().split('\n')

function messageOf(text: string, host = exporter.host): string {
  return syslogMessage({ index: 7, text, event: logEvent.parse(JSON.parse(text)), decision: undefined }, { ...exporter, host })
}

test('every kind of entry is a message by RFC 5424 that says all of the entry', () => {
  for (const line of written) {
    const { pri, timestamp, hostname, appName, messageId, data, message } = parseSyslog(messageOf(line))
    assert.equal(Math.floor(pri / 8), 13)
    assert.deepEqual([timestamp, hostname, appName, messageId], [JSON.parse(line).time, 'gate', 'sallyport', JSON.parse(line).type])
    assert.equal(data.get('event@32473')?.get('index'), '7')
    assert.deepEqual(JSON.parse(message), { log: exporter.log, index: 7, ...JSON.parse(line) })
  }
})

test('what was permitted is information, what was held a notice, what was denied a warning', () => {
  const [permit = '', hold = ''] = written.filter((line) => JSON.parse(line).type === 'decision')
  const deny = JSON.stringify({ ...JSON.parse(permit), decision: 'deny', code: 'policy.denied' })
  assert.deepEqual(
    [permit, hold, deny].map((line) => parseSyslog(messageOf(line)).pri % 8),
    [6, 5, 4],
  )
})

test('a host whose name has no place in the header is shown without what does not fit', () => {
  assert.equal(parseSyslog(messageOf(written[0] ?? '', 'a b\u00fc')).hostname, 'a_b_')
  assert.equal(parseSyslog(messageOf(written[0] ?? '', '')).hostname, '-')
  assert.equal(parseSyslog(messageOf(written[0] ?? '', 'h'.repeat(300))).hostname, 'h'.repeat(255))
})

test('a message of the longest that a receiver takes is whole; of a longer entry it says how long that is', () => {
  const [, , decision = ''] = written
  const of = (units: number): string => JSON.stringify({ ...JSON.parse(decision), reason: 'x'.repeat(units) })
  const rest = syslogMessageBytesMax - Buffer.byteLength(messageOf(of(0)))
  assert.equal(Buffer.byteLength(messageOf(of(rest))), syslogMessageBytesMax)
  assert.equal(JSON.parse(parseSyslog(messageOf(of(rest))).message).reason.length, rest)
  const beyond = parseSyslog(messageOf(of(rest + 1)))
  assert.deepEqual(JSON.parse(beyond.message), { log: exporter.log, index: 7, tooLong: of(rest + 1).length })
  assert.equal(beyond.data.get('event@32473')?.get('agent'), 'invoice-bot')
})

test('a long name is cut in the structured data alone', () => {
  const [, , decision = ''] = written
  const text = JSON.stringify({ ...JSON.parse(decision), action: 'a'.repeat(structuredValueUnitsMax + 1) })
  const { data, message } = parseSyslog(messageOf(text))
  assert.equal(data.get('event@32473')?.get('action'), `${'a'.repeat(structuredValueUnitsMax - 1)}…`)
  assert.equal(JSON.parse(message).action.length, structuredValueUnitsMax + 1)
})
