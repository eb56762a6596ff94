import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readQuery } from './read-query.ts'
import { readTarget } from './read-target.ts'

function read(query: string, ...lists: readonly string[]) {
  const target = readTarget('/', query, false)
  assert.ok(target.kind === 'read')
  const read = readQuery(target.parameters, new Set(lists))
  return read.kind === 'read' ? Object.entries(read.members) : read.reason
}

test('a parameter is a text, and an own member whatever its name', () => {
  assert.deepEqual(read('a=1&b&__proto__=x'), [
    ['a', '1'],
    ['b', ''],
    ['__proto__', 'x'],
  ])
})

test('a declared list is a list, however often it comes', () => {
  assert.deepEqual(read('tag=1&a=2&tag=3&tag', 'tag'), [
    ['tag', ['1', '3', '']],
    ['a', '2'],
  ])
  assert.deepEqual(read('tag=1', 'tag'), [['tag', ['1']]])
  assert.deepEqual(read('id[]=1&id[]=2', 'id[]'), [['id[]', ['1', '2']]])
  assert.deepEqual(read('__proto__=1', '__proto__'), [['__proto__', ['1']]])
})

test('a name in brackets is a name of its own', () => {
  assert.deepEqual(read('filter[status]=open&filter[kind]=1'), [
    ['filter[status]', 'open'],
    ['filter[kind]', '1'],
  ])
})

for (const query of [
  'force=true&force=true',
  'force=true&force',
  'force=false&Force=true',
  'force=false&f%6Frce=true',
  'force=false&%EF%BD%86orce=true',
  'dry_run=true&dryRun=false',
  'force[]=true',
  'force%5B%5D=true',
  'force[0]=true',
  'a[b][]=true',
]) {
  test(`${query} is malformed`, () => assert.match(JSON.stringify(read(query)), /no operation declares/))
}

test('another spelling of a declared list is malformed', () => {
  for (const query of ['tag=1&Tag=2', 'Tag=1&tag=2', 'tag[]=1', 'Tag=1&Tag=2']) assert.match(JSON.stringify(read(query, 'tag')), /no operation declares/, query)
})
