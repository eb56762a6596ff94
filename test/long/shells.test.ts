import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fishCompletion } from '../../bin/completion/fish.ts'
import { zshCompletion } from '../../bin/completion/zsh.ts'
import { flatten, outlineOf } from '../../bin/outline.ts'
import { program } from '../../bin/program.ts'
import { nowhere } from '../fixtures/nowhere.ts'

const outline = outlineOf(program(nowhere(), []))
const without = (name: string): string | false => (spawnSync(name, ['--version']).error ? `${name} is not installed` : false)

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sallyport-shell-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

function run(command: string, args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 })
  if (error) throw error
  assert.equal(stderr, '')
  return stdout
}

test('fish offers every command and option with its meaning, and what options can be', { skip: without('fish') }, (t) => {
  const all = flatten(outline)
  const lines = [
    ...all.map(({ path }) => ['sallyport', ...path, '-'].join(' ')),
    'sallyport log search --type de',
    'sallyport log search --type=tool',
    'sallyport connect --identity cursor co',
    'sallyport completion ',
    'sallyport tools list -c x.yaml ',
  ]
  const asks = lines.map((line) => `complete -C '${line}'; echo --end--`)
  const file = join(folder(t), 'ask.fish')
  writeFileSync(file, `function sallyport; string join , -- $argv; end\n${fishCompletion(outline)}\n${asks.join('\n')}`)
  const offered = run('fish', ['--no-config', file])
    .split('--end--\n')
    .map((text) => text.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? ''])))
  for (const [index, { path, options }] of all.entries())
    assert.deepEqual(new Set(offered[index]), new Set(options.flatMap(({ names }) => names)), path.join(' '))
  assert.deepEqual(offered.slice(all.length, -1), [
    ['decision'],
    ['--type=tool', '--type=tools-listed'],
    ['codex'],
    ['bash', 'fish', 'zsh'],
    ['completable-names,upstream,-c,x.yaml'],
  ])
})

test('zsh completes commands, options and what options can be, at a terminal', { skip: without('zsh'), timeout: 120_000 }, (t) => {
  const here = folder(t)
  writeFileSync(join(here, '_sallyport'), zshCompletion(outline))
  const cases = [
    ['sallyport lo', 'sallyport log '],
    ['sallyport log sea', 'sallyport log search '],
    ['sallyport log search --ty', 'sallyport log search --type '],
    ['sallyport log search --type dec', 'sallyport log search --type decision '],
    ['sallyport log search --type=dec', 'sallyport log search --type=decision '],
    ['sallyport connect --identity cursor cod', 'sallyport connect --identity cursor codex '],
    ['sallyport completion fi', 'sallyport completion fish '],
    ['sallyport connect --stdio --lis', 'sallyport connect --stdio --listen '],
  ] as const
  // An interactive shell behind a pseudo-terminal: Tab completes, Ctrl-X tells the line and empties it.
  const script = `
    zmodload zsh/zpty
    zpty asked zsh -f -i
    zpty -w asked 'PS1= ; stty -echo; fpath=(${here} $fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep list_beep prompt_cr prompt_sp'
    zpty -w asked 'tell() { print -r -- "<$BUFFER>" > ${here}/told.$((++asked)); BUFFER= }; zle -N tell; bindkey "^X" tell; bindkey "^I" complete-word; : > ${here}/ready'
    for ((i = 0; i < 200; i++)); do [[ -e ${here}/ready ]] && break; sleep 0.05; done
    zpty -w asked ''
    integer n=0
    for line in ${cases.map(([line]) => `'${line}'`).join(' ')}; do
      n+=1
      zpty -w -n asked "$line"$'\\t\\x18'
      for ((i = 0; i < 200; i++)); do [[ -s ${here}/told.$n ]] && break; zpty -r -t asked ignored; sleep 0.05; done
    done
    zpty -d asked
    cat ${here}/told.*
  `
  assert.deepEqual(
    run('zsh', ['-f', '-c', script]).trimEnd().split('\n'),
    cases.map(([, line]) => `<${line}>`),
  )
})

test('the manual page is without fault for mandoc', { skip: without('mandoc') }, () => {
  assert.equal(run('mandoc', ['-T', 'lint', '-W', 'style', 'docs/sallyport.1']), '')
})
