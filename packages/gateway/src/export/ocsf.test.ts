import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { logEvent, sessionEvent, type LogEvent } from '@sallyport/contract'
import { z } from 'zod'
import { objectionsTo, schema } from '../../../../test/fixtures/ocsf/validate.ts'
import { ocsfEvent, ocsfVersion } from './ocsf.ts'

const exporter = { log: 'agents.example/sallyport', host: 'gate', version: '0.1.0' }
const written = readFileSync('test/fixtures/entries-0.1.0.jsonl', 'utf8').trimEnd().split('\n')

function mapped(index: number, text: string, event: LogEvent | undefined = logEvent.parse(JSON.parse(text))) {
  const decisions = written.map((line) => logEvent.parse(JSON.parse(line))).filter((one) => one.type === 'decision')
  const decision = event?.type === 'outcome' ? decisions[0] : undefined
  const value: Readonly<Record<string, unknown>> = JSON.parse(ocsfEvent({ index, text, event, decision }, exporter))
  return value
}

test('every kind of entry, with and without its optional members, is an event by the published schema', () => {
  assert.equal(schema.version, ocsfVersion)
  for (const [index, line] of written.entries()) assert.deepEqual(objectionsTo(mapped(index, line)), [], line)
})

test('the check by the published schema finds what is not of it', () => {
  const [, , decision = ''] = written
  const event = mapped(2, decision)
  for (const wrong of [
    { class_uid: 1 },
    { category_uid: 3 },
    { activity_id: 77 },
    { api: {} },
    { actor: {} },
    { surprise: 1 },
    { time: 'now' },
    { resources: { name: 'x' } },
    { action_id: 9 },
    { metadata: { version: '1.8.0' } },
  ])
    assert.notDeepEqual(objectionsTo({ ...event, ...wrong }), [], JSON.stringify(wrong))
})

test('decisions and outcomes are API activity, strangers failed authentications, and acts changes of an entity', () => {
  const classOf = (type: string, of: (event: Readonly<Record<string, unknown>>) => boolean = () => true): unknown => {
    const line = written.find((one) => JSON.parse(one).type === type && of(JSON.parse(one))) ?? ''
    const { class_uid: uid, activity_id: activity, action_id: action, status_id: status } = mapped(0, line)
    return [uid, activity, action, status]
  }
  assert.deepEqual(
    classOf('decision', ({ decision }) => decision === 'permit'),
    [6003, 99, 1, 1],
  )
  assert.deepEqual(
    classOf('decision', ({ decision }) => decision === 'hold'),
    [6003, 99, 99, 99],
  )
  assert.deepEqual(
    classOf('outcome', ({ result }) => result === 'failed'),
    [6003, 99, 1, 2],
  )
  assert.deepEqual(
    classOf('refusal', ({ code }) => String(code).startsWith('identity.')),
    [3002, 1, 2, 2],
  )
  assert.deepEqual(
    classOf('refusal', ({ code }) => code === 'policy.no-rule'),
    [6003, 99, 2, 2],
  )
  assert.deepEqual(
    classOf('admin', ({ act }) => act === 'agent.revoked'),
    [3004, 9, undefined, 1],
  )
  assert.deepEqual(
    classOf('gateway', ({ act }) => act === 'started'),
    [6002, 3, undefined, 1],
  )
})

test('sessions are authentications: a login and an end are Logon and Logoff, and all of a session have its id in common', () => {
  for (const act of sessionEvent.shape.act.options) {
    const entry = { v: 1, type: 'session', time: '2026-11-25T09:00:00.000Z', act, session: 's-1' }
    assert.deepEqual(objectionsTo(mapped(0, JSON.stringify(entry))), [], act)
    const caller = { tenant: 'acme', agent: 'invoice-bot' }
    const event = mapped(0, JSON.stringify({ ...entry, caller, issuer: 'https://login.example.com', subject: '00u1', person: 'alice', reason: 'why' }))
    assert.deepEqual(objectionsTo(event), [], act)
    const { class_uid: uid, activity_id: activity, metadata } = event
    const expected = act === 'opened' ? 1 : ['reauth-required', 'reused', 'revoked', 'quarantined', 'expired'].includes(act) ? 2 : 99
    assert.deepEqual([uid, activity, z.object({ correlation_uid: z.string() }).parse(metadata)], [3002, expected, { correlation_uid: 's-1' }], act)
  }
})

test('an outcome says who called for what, as its decision did', () => {
  const { api, actor } = mapped(8, written[8] ?? '')
  assert.deepEqual(api, { operation: 'get_invoice', service: { name: 'crm' }, request: { uid: '6c1f3f0e-8a51-4c1c-9f43-0d0f3f2d9a01' } })
  assert.deepEqual(actor, { user: { uid: 'acme/invoice-bot', name: 'invoice-bot', type_id: 4, credential_uid: 'q'.repeat(43) } })
})

test('an entry of a later version, and one that cannot be read, are still events', () => {
  const later = '{"time":"2030-01-01T00:00:00.000Z","type":"later","v":1}'
  const event: Readonly<Record<string, unknown>> = JSON.parse(ocsfEvent({ index: 7, text: later, event: undefined, decision: undefined }, exporter))
  assert.deepEqual(objectionsTo(event), [])
  assert.deepEqual([event['class_uid'], event['time'], event['raw_data']], [0, Date.UTC(2030, 0, 1), later])
  const unreadable: Readonly<Record<string, unknown>> = JSON.parse(ocsfEvent({ index: 7, text: undefined, event: undefined, decision: undefined }, exporter))
  assert.deepEqual(objectionsTo(unreadable), [])
})

test('whatever acts are called, they are events by the schema', () => {
  for (const act of ['agent.enrolled', 'constructor.constructor', 'hunt', 'x.', '__proto__.toString'])
    assert.deepEqual(objectionsTo(mapped(1, JSON.stringify({ v: 1, type: 'admin', time: '2026-11-25T09:00:00.000Z', act, subject: {} }))), [], act)
})
