import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { Fault } from '@sallyport/contract'
import { SqliteAgentStore } from './agent-store.ts'
import { openDatabase } from './database.ts'
import { migrations } from './migrations.ts'

function freshPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-database-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'sallyport.db')
}

const isFault =
  (outcome: Fault['outcome'], message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.outcome === outcome && message.test(error.message)

test('the database and its log belong to the owner alone', async (t) => {
  const path = freshPath(t)
  const database = openDatabase(path)
  await database.write((sql) => sql.run(`INSERT INTO agents VALUES ('acme', 'bot', 'active', 0)`))
  for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600)
  database.close()
})

test('it commits to disk at every promise', async (t) => {
  const path = freshPath(t)
  const database = openDatabase(path)
  const pragmas = await database.read((sql) => [sql.get('PRAGMA journal_mode'), sql.get('PRAGMA synchronous'), sql.get('PRAGMA foreign_keys')])
  assert.deepEqual(
    pragmas.map((row) => Object.values(row ?? {})[0]),
    ['wal', 2, 1],
  )
  database.close()
})

test('a throw inside the work undoes all of it', async (t) => {
  const database = openDatabase(freshPath(t))
  await assert.rejects(
    database.write((sql) => {
      sql.run(`INSERT INTO agents VALUES ('acme', 'bot', 'active', 0)`)
      throw new RangeError('half-way')
    }),
    RangeError,
  )
  assert.deepEqual(await database.read((sql) => sql.all('SELECT * FROM agents')), [])
  database.close()
})

test('a lock of another process is a fault that says so, soon, and passes', async (t) => {
  const path = freshPath(t)
  const database = openDatabase(path)
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  const write = () => database.write((sql) => sql.run(`INSERT INTO agents VALUES ('acme', 'bot', 'active', 0)`))
  await assert.rejects(write(), isFault('not-done', /locked by another process/))
  assert.throws(() => openDatabase(path), isFault('not-done', /locked by another process/))
  other.exec('ROLLBACK')
  other.close()
  assert.equal(await write(), 1)
  database.close()
})

test('a file that is no database, a folder that is not there, and a newer schema are refused by name', (t) => {
  const path = freshPath(t)
  writeFileSync(path, 'x'.repeat(4096))
  assert.throws(() => openDatabase(path), isFault('not-done', /not a database/))
  assert.throws(() => openDatabase(join(path, 'below', 'sallyport.db')), isFault('not-done', /cannot be opened/))

  const newer = freshPath(t)
  openDatabase(newer).close()
  const raw = new DatabaseSync(newer)
  raw.exec(`PRAGMA user_version = ${migrations.length + 1}`)
  raw.close()
  assert.throws(() => openDatabase(newer), isFault('not-done', /newer version/))
})

test('a database of any older step is brought up to date without losing a row', (t) => {
  for (let taken = 1; taken < migrations.length; taken += 1) {
    const path = freshPath(t)
    const raw = new DatabaseSync(path)
    for (const { sql } of migrations.slice(0, taken)) raw.exec(sql)
    raw.exec(`INSERT INTO agents VALUES ('acme', 'bot', 'active', 0); PRAGMA user_version = ${taken}`)
    raw.close()
    openDatabase(path).close()
    const after = new DatabaseSync(path)
    assert.equal(after.prepare('PRAGMA user_version').get()?.['user_version'], migrations.length)
    assert.equal(after.prepare('SELECT count(*) AS n FROM agents').get()?.['n'], 1)
    after.close()
  }
})

/** Made by the first step alone, with what a gateway of that version wrote. */
const firstSchema = join(import.meta.dirname, 'fixtures/schema-1.db')

test('a database of the first version is brought up to date, and kept as it was for the way back', async (t) => {
  const path = freshPath(t)
  copyFileSync(firstSchema, path)
  const database = openDatabase(path)
  const store = new SqliteAgentStore(database)
  assert.deepEqual(
    (await store.agents()).map(({ agent, standing }) => [agent, standing]),
    [
      ['bot', 'active'],
      ['gone', 'revoked'],
    ],
  )
  database.close()
  const kept = `${path}.schema-1`
  assert.equal(statSync(kept).mode & 0o777, 0o600)
  const older = new DatabaseSync(kept, { readOnly: true })
  assert.equal(older.prepare('PRAGMA user_version').get()?.['user_version'], 1)
  assert.equal(older.prepare('SELECT count(*) AS n FROM certificates').get()?.['n'], 1)
  assert.equal(older.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'secrets'").get()?.['n'], 0)
  older.close()
  assert.deepEqual(
    readdirSync(dirname(path)).filter((name) => name.includes('unfinished')),
    [],
  )
})

test('a database that cannot be copied is not changed', (t) => {
  const path = freshPath(t)
  copyFileSync(firstSchema, path)
  mkdirSync(`${path}.schema-1.${process.pid}.unfinished`)
  assert.throws(() => openDatabase(path), /is not brought up to date|directory/i)
  const raw = new DatabaseSync(path)
  assert.equal(raw.prepare('PRAGMA user_version').get()?.['user_version'], 1)
  raw.close()
})

test('a newer database is refused with the copy that leads back, where there is one', (t) => {
  const path = freshPath(t)
  openDatabase(path).close()
  const raw = new DatabaseSync(path)
  raw.exec(`PRAGMA user_version = ${migrations.length + 1}`)
  raw.close()
  assert.throws(() => openDatabase(path), /run that version, or restore a backup/)
  writeFileSync(`${path}.schema-${migrations.length}`, '')
  assert.throws(() => openDatabase(path), new RegExp(`run that version, or put sallyport\\.db\\.schema-${migrations.length} in its place`))
})
