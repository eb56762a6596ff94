import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse as parseToml } from 'smol-toml'
import { clients } from './client.ts'
import { nothingWritten, planChange, type Change, type Entries, type Written } from './plan-change.ts'
import type { Reach, ServerEntry } from './server-entry.ts'

const stdio: Reach = { kind: 'stdio', command: '/opt/node', args: ['/opt/a "b".ts', 'connect', '--stdio'] }
const http: Reach = { kind: 'http', url: 'http://127.0.0.1:8787/mcp' }
const json = clients['claude-code'].format
const jsonc = clients.openclaw.format
const toml = clients.codex.format
const one = (entry: ServerEntry, name = 'sallyport'): Entries => new Map([[name, entry]])
const claude = one(clients['claude-code'].entry(stdio))
const codex = one(clients.codex.entry(stdio))
const openclaw = one(clients.openclaw.entry(http))

function changed(change: Change): { readonly text: string | undefined; readonly written: Written } {
  assert.ok(change.kind === 'changed', change.kind === 'refused' ? change.reason : change.kind)
  return change
}

test('what is written is undone to the byte, whatever JSON was there', () => {
  const layouts = [undefined, 1, 2, 4, '\t'] as const
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), fc.constantFrom(...layouts), fc.boolean(), (value, indent, isOther) => {
      const servers = isOther ? { mcpServers: { other: { command: 'x' } } } : {}
      const text = `${JSON.stringify({ ...value, ...servers }, undefined, indent)}\n`
      fc.pre(json.read(text).kind === 'read' && !text.includes('__proto__')) // which no client reads, and which is refused
      const there = changed(planChange(json, text, nothingWritten, claude))
      const back = changed(planChange(json, there.text, there.written, new Map()))
      if (indent === undefined) assert.deepEqual(JSON.parse(back.text ?? ''), JSON.parse(text))
      else assert.equal(back.text, text)
      assert.deepEqual(back.written, nothingWritten)
    }),
    { numRuns: 300 },
  )
})

const tomlTexts = [
  '',
  '\n',
  '# only a comment\n',
  'model = "o4"\n',
  'model = "o4"\n\n',
  'a = 1\r\n[mcp_servers.other]\r\ncommand = "x"\r\n',
  '[mcp_servers]\n[mcp_servers.other]\ncommand = "x" # kept\n\n[[things]]\nwhen = 1979-05-27T07:32:00Z\n',
  'text = """\n[mcp_servers.sallyport]\n"""\n',
]

for (const text of tomlTexts) {
  test(`TOML ${JSON.stringify(text)} comes back to the byte`, () => {
    const there = changed(planChange(toml, text, nothingWritten, codex))
    assert.ok(there.text?.startsWith(text))
    assert.deepEqual({ ...Object(parseToml(there.text ?? '')['mcp_servers'])['sallyport'] }, { command: '/opt/node', args: stdio.args })
    assert.equal(changed(planChange(toml, there.text, there.written, new Map())).text, text)
  })
}

test('a second time changes nothing; another way to reach the gateway takes the place of the first', () => {
  for (const [format, client] of [
    [json, clients['claude-code']],
    [toml, clients.codex],
    [jsonc, clients.openclaw],
  ] as const) {
    const first = changed(planChange(format, undefined, nothingWritten, one(client.entry(stdio))))
    const again = planChange(format, first.text, first.written, one(client.entry(stdio)))
    assert.deepEqual(again, { kind: 'unchanged', written: first.written })
    const other = changed(planChange(format, first.text, first.written, one(client.entry(http), 'sallyport-crm')))
    const read = format.read(other.text ?? '')
    assert.deepEqual(read.kind === 'read' && [...read.servers], [['sallyport-crm', client.entry(http)]])
    assert.equal(changed(planChange(format, other.text, other.written, new Map())).text, undefined, 'the file was ours alone')
  }
})

test('comments, order and what the user has added since stay; only our part goes', () => {
  const text =
    '{\n  // mine\n  "agents": { "list": [1,2] }, /* odd */\n  "mcp": {\n    "servers": {\n      "other": { "command": "x" }, // kept\n    },\n  },\n}\n'
  const there = changed(planChange(jsonc, text, nothingWritten, openclaw))
  for (const part of ['// mine', '/* odd */', '// kept', '[1,2]']) assert.ok(there.text?.includes(part), part)
  const edited = there.text?.replace('[1,2]', '[1,2,3]').replace('// mine', '// still mine')
  const back = changed(planChange(jsonc, edited, there.written, new Map())).text ?? ''
  assert.ok(!back.includes('sallyport'))
  for (const part of ['// still mine', '/* odd */', '// kept', '[1,2,3]', '"other"']) assert.ok(back.includes(part), part)

  const config = '# mine\nmodel = "o4" # why\n'
  const written = changed(planChange(toml, config, nothingWritten, codex))
  const more = `${written.text?.replace('o4', 'o5')}\n[mcp_servers.later]\ncommand = "y" # mine too\n`
  assert.equal(
    changed(planChange(toml, more, written.written, new Map())).text,
    '# mine\nmodel = "o5" # why\n\n[mcp_servers.later]\ncommand = "y" # mine too\n',
  )
})

test('rather than lose a comment beside or in our part, nothing is changed', () => {
  const there = changed(planChange(jsonc, '{ "mcp": { "servers": {} } }\n', nothingWritten, openclaw))
  const inside = there.text?.replace('"url"', '// why\n"url"')
  const beside = there.text?.replace('\n      }\n    }\n', '\n      }, // why\n      "other": {}\n    }\n')
  for (const text of [inside, beside]) {
    assert.match(text ?? '', /why/)
    const refused = planChange(jsonc, text, there.written, new Map())
    assert.match(refused.kind === 'refused' ? refused.reason : refused.kind, /comment/)
  }
})

test('a part that was edited by hand, or that somebody else wrote, is not touched', () => {
  const there = changed(planChange(json, '{}\n', nothingWritten, claude))
  const edited = there.text?.replace('"env": {}', '"env": {"A": "1"}')
  for (const wanted of [new Map<string, ServerEntry>(), claude, openclaw]) {
    const refused = planChange(json, edited, there.written, wanted)
    assert.match(refused.kind === 'refused' ? refused.reason : '', /"sallyport" was edited/)
  }
  const foreign = planChange(json, '{"mcpServers":{"sallyport":{"command":"other"}}}', nothingWritten, claude)
  assert.match(foreign.kind === 'refused' ? foreign.reason : '', /not written by/)
  assert.equal(planChange(json, there.text, nothingWritten, claude).kind, 'unchanged', 'it is there, by whomever')
  assert.deepEqual(planChange(json, there.text, nothingWritten, new Map()), { kind: 'unchanged', written: nothingWritten })

  const config = changed(planChange(toml, undefined, nothingWritten, codex))
  for (const addition of ['startup_timeout_sec = 20\n', '[mcp_servers.sallyport.env]\nA = "1"\n']) {
    assert.equal(planChange(toml, `${config.text}${addition}`, config.written, new Map()).kind, 'refused')
  }
  assert.equal(planChange(toml, config.text?.replace('[ ', '['), config.written, new Map()).kind, 'refused', 'the same in another layout: which text is ours?')
})

test('what the user has removed by hand is no obstacle, and an empty section that we made goes', () => {
  const there = changed(planChange(json, '{\n  "a": 1\n}\n', nothingWritten, claude))
  const emptied = '{\n  "a": 1,\n  "mcpServers": {}\n}\n'
  assert.equal(changed(planChange(json, emptied, there.written, new Map())).text, '{\n  "a": 1\n}\n')
  const before = changed(planChange(json, emptied, nothingWritten, claude))
  assert.equal(changed(planChange(json, before.text, before.written, new Map())).text, emptied, 'one that was there stays')
})

test('a file that cannot be read or extended as it is stays as it is', () => {
  const refusedTexts: [Parameters<typeof planChange>[0], string, Entries, RegExp][] = [
    [json, '{"a": 1, }', claude, /line 1/],
    [json, '{\n// no comments here\n}', claude, /InvalidCommentToken in line 2/],
    [json, '[]', claude, /no object/],
    [json, '{"mcpServers": []}', claude, /"mcpServers" holds no members/],
    [json, '{"mcpServers": {}, "mcpServers": {"x": {}}}', claude, /by hand/],
    [jsonc, "{mcp: {servers: {}}} // JSON5's own forms", openclaw, /line 1/],
    [toml, 'a = = 1\n', codex, /line 1/],
    [toml, 'mcp_servers = { other = { command = "x" } }\n', codex, /by hand/],
    [toml, 'mcp_servers = 1\n', codex, /"mcp_servers" holds no members/],
  ]
  for (const [format, text, wanted, reason] of refusedTexts) {
    const refused = planChange(format, text, nothingWritten, wanted)
    assert.match(refused.kind === 'refused' ? refused.reason : `${refused.kind}: ${text}`, reason)
  }
})

test('after a write that was cut off, either value is known as ours', () => {
  const first = changed(planChange(json, '{}\n', nothingWritten, claude))
  const next = clients['claude-code'].entry(http)
  const entries = new Map([['sallyport', [next, ...(first.written.entries.get('sallyport') ?? [])]]])
  const cutOff: Written = { ...first.written, entries }
  assert.equal(changed(planChange(json, first.text, cutOff, new Map())).text, '{}\n')
  assert.equal(changed(planChange(json, first.text, cutOff, one(next))).written.entries.get('sallyport')?.length, 1)
})
