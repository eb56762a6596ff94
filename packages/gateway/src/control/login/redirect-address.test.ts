import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRegistered } from './redirect-address.ts'

test('at a loopback address any port is the program’s, and everything else is compared', () => {
  for (const registered of ['http://127.0.0.1/cb', 'http://127.0.0.1:80/cb', 'http://127.0.0.1:9999/cb']) {
    assert.equal(isRegistered('http://127.0.0.1:33418/cb', [registered]), registered !== 'http://127.0.0.1:80/cb', registered) // that one is written in two ways
    assert.equal(isRegistered('http://127.0.0.1/cb', ['x', registered]), registered !== 'http://127.0.0.1:80/cb')
  }
  assert.ok(isRegistered('http://[::1]:1/cb', ['http://[::1]/cb']))
  assert.ok(isRegistered('http://localhost:1/cb', ['http://localhost/cb']))
  for (const other of [
    'http://127.0.0.2:1/cb',
    'http://localhost:1/cb',
    'http://127.0.0.1:1/cb/',
    'http://127.0.0.1:1/cb?x',
    'https://127.0.0.1:1/cb',
    'http://127.1:1/cb',
  ])
    assert.ok(!isRegistered(other, ['http://127.0.0.1/cb']), other)
})

test('elsewhere only https, character by character', () => {
  const registered = ['https://app.example/cb?x=1', 'https://bare.example', 'http://app.example/cb', 'app://cb']
  assert.ok(isRegistered('https://app.example/cb?x=1', registered))
  assert.ok(isRegistered('https://bare.example', registered))
  for (const other of [
    'https://app.example:8443/cb?x=1',
    'https://app.example/cb',
    'https://APP.example/cb?x=1',
    'https://app.example/a/../cb?x=1',
    'https://app.example/cb?x=1#',
  ])
    assert.ok(!isRegistered(other, registered), other)
  for (const never of ['http://app.example/cb', 'app://cb']) assert.ok(!isRegistered(never, registered), never)
})
