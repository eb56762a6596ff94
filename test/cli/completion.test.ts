import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bashCompletion } from '../../bin/completion/bash.ts'
import { flatten, outlineOf } from '../../bin/outline.ts'
import { program } from '../../bin/program.ts'
import { initialise } from '@sallyport/gateway'
import { nowhere } from '../fixtures/nowhere.ts'

const outline = outlineOf(program(nowhere(), []))
const script = bashCompletion(outline)

/** What bash offers after each of these lines, where the cursor stands behind their last character. `before`: commands of the shell. */
function offers(lines: readonly string[], before = ''): readonly string[][] {
  const asks = lines.map((line) => {
    const words = line.split(/(?<==)|(?==)| /) // as bash parts them
    return `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _sallyport; printf '%s\\n' "\${COMPREPLY[@]}"; echo --end--`
  })
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', `${before}\n${script}\n${asks.join('\n')}`], { encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout
    .split('--end--\n')
    .slice(0, -1)
    .map((text) => text.split('\n').filter((word) => word !== ''))
}

test('bash offers every command and every option, and nothing else', () => {
  const all = flatten(outline)
  const lines = all.map(({ path }) => ['sallyport', ...path].join(' '))
  const options = offers(lines.map((line) => `${line} -`))
  const commands = offers(lines.map((line) => `${line} `))
  for (const [index, { path, options: known, commands: below }] of all.entries()) {
    assert.deepEqual(
      options[index],
      known.flatMap(({ names }) => names),
      path.join(' '),
    )
    if (below.length > 0)
      assert.deepEqual(
        commands[index]?.slice(0, below.length),
        below.map(({ path: words }) => words.at(-1)),
        path.join(' '),
      )
  }
})

test('bash offers the words that an option or argument can be, in both spellings, and nothing where only the user knows', () => {
  const cases: readonly (readonly [line: string, offered: readonly string[]])[] = [
    ['sallyport lo', ['log']],
    ['sallyport log se', ['search']],
    ['sallyport log search --type de', ['decision']],
    ['sallyport log search --type=tool', ['tool', 'tools-listed']],
    ['sallyport log search --type decision --lim', ['--limit']],
    ['sallyport log search --limit ', []],
    ['sallyport log search --agent log sh', []],
    ['sallyport completion ', ['bash', 'zsh', 'fish']],
    ['sallyport connect --identity cursor co', ['codex']],
    ['sallyport connect --stdio --lis', ['--listen']],
    ['sallyport ca retire -- -', []],
    ['sallyport approve ', []],
  ]
  const offered = offers(cases.map(([line]) => line))
  for (const [index, [line, expected]] of cases.entries()) assert.deepEqual(offered[index], expected, line)
})

test('bash offers the names of upstreams that the configuration holds, of the file that the line names, without a gateway', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-complete-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await initialise(join(folder, '.sallyport'), 'agents.example')
  const file = join(folder, 'other.yaml')
  writeFileSync(
    file,
    'version: 1\ntrustDomain: agents.example\nupstreams:\n  crm: { protocol: http, url: "https://crm.example" }\n  files: { protocol: mcp, url: "https://files.example" }\n',
  )
  const itself = `sallyport() { '${process.execPath}' '${join(import.meta.dirname, '../../bin/sallyport.ts')}' "$@"; }`
  const [upstreams, none] = offers([`sallyport tools list -c ${file} `, 'sallyport tools list -c /nowhere/sallyport.yaml '], itself)
  assert.deepEqual(upstreams, ['crm', 'files'])
  assert.deepEqual(none, [])
})
