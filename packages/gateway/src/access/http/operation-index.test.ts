import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OperationIndex } from './operation-index.ts'
import { parseTemplate, relate, type TemplateSegment } from './operation-template.ts'

function segmentsOf(path: string): readonly TemplateSegment[] {
  const parsed = parseTemplate(path)
  return parsed.kind === 'parsed' ? parsed.segments : assert.fail(parsed.message)
}

function indexOf(...lines: readonly string[]): OperationIndex {
  return new OperationIndex(
    lines.map((line) => {
      const [method = '', path = ''] = line.split(' ')
      return { name: line, method, path, segments: segmentsOf(path), lists: new Set<string>() }
    }),
  )
}

test('the most specific operation wins, in whatever order they stand', () => {
  const lines = ['GET /a/{x}', 'GET /a/report-{x}.csv', 'GET /a/report-{x}', 'GET /a/report-all.csv', 'GET /a/b/{y}', 'POST /a/{x}']
  for (const index of [indexOf(...lines), indexOf(...lines.toReversed())]) {
    const name = (method: string, path: string) => index.match(method, path.slice(1).split('/'))?.operation.name
    assert.equal(name('GET', '/a/report-all.csv'), 'GET /a/report-all.csv')
    assert.equal(name('GET', '/a/report-1.csv'), 'GET /a/report-{x}.csv')
    assert.equal(name('GET', '/a/report-1'), 'GET /a/report-{x}')
    assert.equal(name('GET', '/a/report-'), 'GET /a/{x}')
    assert.equal(name('GET', '/a/b'), 'GET /a/{x}')
    assert.equal(name('GET', '/a/b/c'), 'GET /a/b/{y}')
    assert.equal(name('POST', '/a/b'), 'POST /a/{x}')
    assert.equal(name('GET', '/a/'), undefined)
    assert.equal(name('GET', '/a'), undefined)
    assert.equal(name('GET', '/A/b'), undefined)
    assert.equal(name('PUT', '/a/b'), undefined)
  }
})

test('a literal that leads nowhere does not hide a parameter', () => {
  const index = indexOf('GET /a/b/c', 'GET /a/{x}/d')
  const matched = index.match('GET', ['a', 'b', 'd'])
  assert.equal(matched?.operation.name, 'GET /a/{x}/d')
  assert.deepEqual([...(matched?.parameters ?? [])], [['x', 'b']])
})

test('parameters have their values, without what stands around them', () => {
  const matched = indexOf('GET /o/{org}/files/v{version}.tar').match('GET', ['o', 'acme', 'files', 'v1.2.tar'])
  assert.deepEqual(
    [...(matched?.parameters ?? [])],
    [
      ['org', 'acme'],
      ['version', '1.2'],
    ],
  )
})

for (const [first, second, relation] of [
  ['/a/{x}', '/a/{y}', 'same'],
  ['/a', '/a/b', 'disjoint'],
  ['/a/b', '/a/{x}', 'narrower'],
  ['/a/{x}', '/a/b', 'wider'],
  ['/a/{x}/c', '/a/b/{y}', 'crossing'],
  ['/a/{x}/c', '/b/b/{y}', 'disjoint'],
  ['/r-{x}', '/{x}', 'narrower'],
  ['/r-{x}', '/{x}.csv', 'crossing'],
  ['/r-{x}', '/s-{x}', 'disjoint'],
  ['/r-{x}', '/r-', 'disjoint'],
  ['/a%20b', '/a%20b', 'same'],
] as const) {
  test(`${first} and ${second} are ${relation}`, () => {
    assert.equal(relate(segmentsOf(first), segmentsOf(second)), relation)
  })
}

test('templates that are none', () => {
  for (const path of [
    'a',
    '/a?b',
    '/a#b',
    '/a/{x}{y}',
    '/a/{x',
    '/a/x}',
    '/a/{}',
    '/{x}/{x}',
    '/a//b',
    '/../a',
    '/%2e%2e',
    '/a;b',
    '/a b',
    '/%zz',
    `/${'a/'.repeat(64)}`,
  ]) {
    assert.equal(parseTemplate(path).kind, 'invalid', path)
  }
})
