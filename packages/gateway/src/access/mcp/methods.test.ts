import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNotificationKnown, requestRow } from './methods.ts'
import { joinName, joinUri, splitName, splitUri } from './namespace.ts'

test('each method has one standing, and only in its revisions', () => {
  const table = [
    ['initialize', 'protocol', undefined],
    ['ping', 'protocol', undefined],
    ['server/discover', undefined, 'protocol'],
    ['tools/list', 'protocol', 'protocol'],
    ['logging/setLevel', 'protocol', undefined],
    ['tools/call', 'call', 'call'],
    ['resources/read', 'call', 'call'],
    ['resources/subscribe', 'call', undefined],
    ['completion/complete', 'call', 'call'],
    ['subscriptions/listen', undefined, 'protocol'],
    ['tasks/get', 'call', 'call'],
    ['toString', undefined, undefined],
    ['__proto__', undefined, undefined],
  ] as const
  for (const [method, legacy, modern] of table) {
    assert.equal(requestRow(method, 'legacy', {})?.standing, legacy, method)
    assert.equal(requestRow(method, 'modern', {})?.standing, modern, method)
  }
  const watching = { notifications: { resourceSubscriptions: ['file:///a'] } }
  assert.equal(requestRow('subscriptions/listen', 'modern', watching)?.standing, 'call')
  assert.ok(isNotificationKnown('notifications/cancelled', 'modern'))
  assert.ok(!isNotificationKnown('notifications/initialized', 'modern'))
  assert.ok(!isNotificationKnown('notifications/tools/list_changed', 'legacy'))
  assert.ok(!isNotificationKnown('constructor', 'legacy'))
})

test('names at the aggregated endpoint come apart where they were joined', () => {
  const crm = splitName('crm__x')?.upstream
  assert.ok(crm)
  for (const name of ['get', '__get', 'a__b', 'crm__get', '_']) assert.deepEqual(splitName(joinName(crm, name)), { upstream: 'crm', name })
  for (const uri of ['file:///a+b', 'x://{id}', 'mcp+crm+y:z']) assert.deepEqual(splitUri(joinUri(crm, uri)), { upstream: 'crm', name: uri })
  for (const text of ['crm', 'crm__', '__get', 'CRM__get', 'crm_get', '']) assert.equal(splitName(text), undefined, text)
  for (const text of ['file:///a', 'mcp+crm', 'mcp+crm+', 'mcp++x', 'crm+x']) assert.equal(splitUri(text), undefined, text)
})
