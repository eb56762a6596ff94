import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileCluster } from './compile-cluster.ts'

const at = (database: string, more: object = {}): ReturnType<typeof compileCluster> => compileCluster({ database, ...more }, { ca: 'PEM', password: 'secret' })

test('an address names a user, a host and a database, and nothing that belongs elsewhere', () => {
  for (const [database, said] of [
    ['postgres://db.internal/sallyport', /USER@HOST/],
    ['postgres://sallyport@db.internal', /USER@HOST/],
    ['postgres://sallyport@db.internal/a/b', /USER@HOST/],
    ['postgres://sallyport:hunter2@db.internal/sallyport', /passwordFile/],
    ['postgres://sallyport@db.internal/sallyport?sslmode=disable', /parameters/],
    ['postgres://', /USER@HOST/],
  ] as const) {
    const compiled = at(database)
    assert.ok('objection' in compiled, database)
    assert.match(compiled.objection, said)
    assert.doesNotMatch(compiled.objection, /hunter2/)
  }
})

test('a database on another host is reached over TLS whatever the file leaves out, one on this host where it says so', () => {
  const isEncrypted = (database: string, more?: object): boolean => {
    const compiled = at(database, more)
    assert.ok(!('objection' in compiled))
    assert.equal(compiled.password, 'secret')
    return compiled.tls?.ca === 'PEM'
  }
  assert.equal(isEncrypted('postgres://sallyport@db.internal/sallyport'), true)
  assert.equal(isEncrypted('postgres://sallyport@10.0.0.7:5433/sallyport'), true)
  assert.equal(isEncrypted('postgres://sallyport@127.0.0.1/sallyport'), false)
  assert.equal(isEncrypted('postgres://sallyport@[::1]/sallyport'), false)
  assert.equal(isEncrypted('postgres://sallyport@127.0.0.1/sallyport', { tls: {} }), true)
})
