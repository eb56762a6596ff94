import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePolicy } from '../../policy/snapshot.ts'
import { formatFault, type ConfigurationFault } from './configuration-fault.ts'
import { configurationLengthMax, faultsMax, readConfiguration, revisionOf } from './read-configuration.ts'

const head = 'version: 1\ntrustDomain: agents.test\n'

function faultsOf(text: string): readonly ConfigurationFault[] {
  const read = readConfiguration({ text, fileName: 'sallyport.yaml' })
  return read.kind === 'invalid' ? read.faults : []
}

const rows: readonly (readonly [name: string, text: string, place: string, message: RegExp, hint?: RegExp])[] = [
  ['an unknown field', `${head}listne: 127.0.0.1:1\n`, '3:1', /unknown field 'listne'/, /'listen'/],
  [
    'an unknown field inside an http upstream',
    `${head}upstreams:\n  crm:\n    protocol: http\n    url: http://x\n    adresses: {}\n`,
    '7:5',
    /unknown field 'adresses'/,
    /'addresses'/,
  ],
  ['an unknown field inside an mcp program', `${head}upstreams:\n  f: { protocol: mcp, command: [x], envs: {} }\n`, '4:37', /unknown field 'envs'/, /'env'/],
  ['an unknown field inside a rule', `${head}rules:\n  - { id: r, match: { upstrem: x }, then: deny }\n`, '4:23', /unknown field 'upstrem'/, /'upstream'/],
  ['a field that is a method of every object', `${head}constructor: 1\n`, '3:1', /unknown field 'constructor'/],
  ['a name that would vanish', `${head}upstreams:\n  __proto__: { protocol: http }\n`, '4:3', /__proto__/],
  ['a field given twice', `${head}listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n`, '4:1', /given twice/],
  ['a field given twice deep inside', `${head}rules:\n  - { id: r, match: {}, then: deny, then: permit }\n`, '4:37', /given twice/],
  ['a missing field', `${head}rules:\n  - { match: {}, then: deny }\n`, '4:5', /'id' is missing/],
  ['a wrong word', `${head}rules:\n  - { id: r, match: {}, then: permti }\n`, '4:31', /one of deny, hold, permit/, /'permit'/],
  ['a wrong type', `${head}rules:\n  - { id: r, match: { agent: 5 }, then: permit }\n`, '4:30', /expected a text, found a number/, /quotes/],
  ['a wrong type in a list', `${head}rules:\n  - { id: r, match: { agent: [a, 5] }, then: permit }\n`, '4:34', /expected a text, found a number/],
  ['an empty field', `${head}rules:\n`, '3:1', /found nothing/],
  ['an upstream without protocol', `${head}upstreams:\n  crm: { url: http://x }\n`, '4:3', /no protocol/],
  ['an upstream of an unknown protocol', `${head}upstreams:\n  crm: { protocol: grpc }\n`, '4:20', /expected one of http, mcp, llm, a2a/],
  ['a bad name', `${head}upstreams:\n  C_RM: { protocol: http, url: http://x }\n`, '4:3', /expected a name/],
  ['a bad duration', `${head}quotas:\n  - { id: q, per: [tenant], requests: 1, window: 1 minute }\n`, '4:50', /expected a duration such as/],
  ['a deadline longer than timers hold', `${head}upstreams:\n  u: { protocol: http, url: http://x, deadlines: { total: 25d } }\n`, '4:59', /at most 24h/],
  ['an approval beyond all dates', `${head}rules:\n  - { id: r, match: {}, then: hold, approval: { expires: 999999999d } }\n`, '4:58', /at most 30d/],
  ['a drain longer than timers hold', `${head}limits: { drain: 600h }\n`, '3:18', /at most 24h/],
  ['an address or a word', `${head}enrolment: never\n`, '3:12', /an address such as/],
  ['a number below its bound', `${head}quotas:\n  - { id: q, per: [tenant], requests: 0, window: 1m }\n`, '4:39', /at least 1/],
  ['an anchor', `${head}names: &n [a]\n`, '3:11', /anchors and aliases/],
  ['an alias bomb', `${head}names: [*n, *n]\n`, '3:9', /anchors and aliases|[Aa]lias/],
  ['a tab', 'version: 1\n\ttrustDomain: x\n', '2:1', /[Tt]ab/],
  ['an open bracket', `${head}names: [a\n`, '4:1', /\]/],
  ['a second document', `${head}---\nversion: 1\n`, '3:1', /second document/],
  ['a tag', `${head}listen: !!js/function x\n`, '3:9', /tag/],
  ['an empty file', '# nothing\n', '1:1', /says nothing/],
  ['a list', '- version\n', '1:1', /expected a group of fields, found a list/],
]
for (const [name, text, place, message, hint] of rows) {
  test(`${name} is told at its place`, () => {
    const [fault] = faultsOf(text)
    assert.ok(fault)
    assert.equal(`${fault.line}:${fault.column}`, place, formatFault(fault))
    assert.match(fault.message, message)
    if (hint) assert.match(fault.hint ?? '', hint)
  })
}

test('a fault is readable on a terminal and plain as data', () => {
  const [fault] = faultsOf(`${head}  \nlistne: 127.0.0.1:1\n`)
  assert.ok(fault)
  assert.equal(formatFault(fault), "sallyport.yaml:4:1: unknown field 'listne'\n  listne: 127.0.0.1:1\n  ^\n  hint: did you mean 'listen'?")
  assert.deepEqual(JSON.parse(JSON.stringify(fault)), {
    file: 'sallyport.yaml',
    line: 4,
    column: 1,
    path: ['listne'],
    message: "unknown field 'listne'",
    hint: "did you mean 'listen'?",
    source: 'listne: 127.0.0.1:1',
  })
})

test('a fault in an environment does not show the line, which may hold a secret', () => {
  const [fault] = faultsOf(`${head}upstreams:\n  f: { protocol: mcp, command: [x], env: { TOKEN: hunter2, N: 5 } }\n`)
  assert.ok(fault)
  assert.doesNotMatch(JSON.stringify(fault) + formatFault(fault), /hunter2/)
})

test('large, deep and hopeless files end in faults', () => {
  assert.match(faultsOf('#'.repeat(configurationLengthMax + 1))[0]?.message ?? '', /larger than/)
  assert.ok(faultsOf('['.repeat(50_000)).length > 0)
  assert.equal(faultsOf(head + Array.from({ length: 500 }, (_, index) => `field-${index}: 1\n`).join('')).length, faultsMax)
})

test('the revision is that of what the file says, not of how it is written', () => {
  const revision = (text: string): string => {
    const read = readConfiguration({ text, fileName: 'f' })
    return read.kind === 'read' ? revisionOf(read.configuration, {}) : assert.fail()
  }
  const first = revision(`${head}rules:\n  - { id: r, match: {}, then: deny }\n`)
  assert.match(first, /^[\w-]{43}$/)
  assert.equal(revision(`# comment\ntrustDomain: "agents.test"\nrules:\n- then: deny\n  match: {}\n  id: r\nversion: 1\n`), first)
  assert.notEqual(revision(`${head}rules:\n  - { id: r, match: {}, then: permit }\n`), first)
})

const conditions: readonly (readonly [name: string, rule: string, place: string])[] = [
  ['plain', 'when: args.a == 1 && nope == 2', '6:26'],
  ['plain over two lines', 'when: args.a == 1 &&\n      nope == 2', '7:7'],
  ['in double quotes', 'when: "args.a == \\"x\\" && nope == 2"', '6:31'],
  ['in single quotes', "when: 'args.a == ''x'' && nope == 2'", '6:31'],
  ['a literal block', 'when: |\n      args.a == 1 &&\n\n        nope == 2', '9:9'],
  ['a literal block with a header', 'when: |2-\n      args.a == 1\n      && nope == 2', '8:10'],
  ['a folded block', 'when: >-\n      args.a == 1\n      && nope == 2', '8:10'],
]
for (const [name, when, place] of conditions) {
  test(`a fault inside a condition is placed: ${name}`, () => {
    const read = readConfiguration({ text: `${head}rules:\n  - id: r\n    match: {}\n    ${when}\n    then: deny\n`, fileName: 'f' })
    assert.ok(read.kind === 'read', JSON.stringify(read))
    const compiled = compilePolicy(read.configuration.rules, read.configuration.quotas, { upstreams: Object.keys(read.configuration.upstreams) })
    assert.ok(compiled.kind === 'invalid')
    const [fault] = compiled.faults
    assert.ok(fault)
    assert.match(fault.message, /unknown name 'nope'/)
    const placed = read.place(fault)
    assert.equal(`${placed.line}:${placed.column}`, place, formatFault(placed))
  })
}

test('a fault of another stage about a field that is not there is placed at what is around it', () => {
  const read = readConfiguration({ text: `${head}upstreams:\n  crm: { protocol: http, url: http://x }\n`, fileName: 'f' })
  assert.ok(read.kind === 'read')
  const placed = read.place({ where: ['upstreams', 'crm', 'openapi'], message: 'cannot be read' })
  assert.deepEqual([placed.line, placed.column, placed.source], [4, 3, '  crm: { protocol: http, url: http://x }'])
})
