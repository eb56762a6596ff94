import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CommanderError, type Command } from 'commander'
import { examples } from '../../bin/examples.ts'
import { manPage } from '../../bin/man-page.ts'
import { flatten, outlineOf, pathOf } from '../../bin/outline.ts'
import { program } from '../../bin/program.ts'
import { nowhere } from '../fixtures/nowhere.ts'

const outline = outlineOf(program(nowhere(), []))

/** The command lines of Sallyport in a line of a shell, as the shell parts them into words. Nothing runs but the shell. */
function commandLines(line: string): readonly (readonly string[])[] {
  const quiet = line.replaceAll(/[<>]{1,2} (?!\()\S+/g, '') // files of a reader, which need not be there
  const shell = `sallyport() { printf '%s\\0' "$@" >&3; printf '\\n' >&3; }; jq() { :; }; pass() { :; }; ${quiet}`
  const { output, stderr } = spawnSync('bash', ['--norc', '-c', shell], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  assert.equal(stderr, '', line)
  const [, , , said] = output
  return (said ?? '')
    .split('\n')
    .slice(0, -1)
    .map((words) => words.split('\0').slice(0, -1))
}

/** The words of the command that the real parser finds; throws what the parser throws. */
async function parsed(words: readonly string[]): Promise<string> {
  const root = program(nowhere(), words)
  let reached = ''
  const replaceActions = (command: Command): void => {
    if (command.commands.length === 0 || command.name() === 'connect') command.action(() => void (reached = pathOf(command).join(' ')))
    for (const below of command.commands) replaceActions(below)
  }
  replaceActions(root)
  await root.parseAsync(words, { from: 'user' })
  return reached
}

test('every command has an example, and every example is of a command', () => {
  const paths = flatten(outline).map(({ path }) => path.join(' '))
  assert.deepEqual(Object.keys(examples).sort(), paths.sort())
  assert.deepEqual(
    Object.entries(examples).flatMap(([path, given]) => (given.length > 0 ? [] : [path])),
    [],
  )
})

test('every example is taken by the parser as a use of its command', async () => {
  for (const { path, commands } of flatten(outline)) {
    for (const [line] of examples[path.join(' ')] ?? []) {
      const lines = commandLines(line === "echo 'source <(sallyport completion bash)' >> ~/.bashrc" ? 'sallyport completion bash' : line)
      assert.ok(lines.length > 0, line)
      const reached = await Promise.all(lines.map(parsed))
      if (commands.length === 0 || path[0] === 'connect')
        assert.ok(reached.includes(path.join(' ')), `${line} is an example of ${path.join(' ')}, and runs ${reached.join(', ')}`)
      else
        assert.ok(
          reached.every((name) => name !== ''),
          line,
        )
    }
  }
})

test('what the parser does not take is found', async () => {
  for (const words of [
    ['log', 'search', '--type', 'x'],
    ['agent', 'add', 'Acme'],
    ['log', 'check', 'a'],
  ])
    await assert.rejects(parsed(words), CommanderError, words.join(' '))
})

test('help on a command of two words ends with its examples', async () => {
  let said = ''
  const root = program(
    nowhere((text) => (said += text)),
    [],
  )
  await assert.rejects(root.parseAsync(['help', 'log', 'prove'], { from: 'user' }), CommanderError)
  await new Promise((turned) => setImmediate(turned)) // a stream tells in a later turn
  assert.match(said, /^Usage: sallyport log prove [^]*\nExamples:\n {2}sallyport log prove 42 --entry 42\.entry > 42\.proof\n {6}[^\n]+\n$/)
})

test('docs/sallyport.1 is what "npm run man" writes', () => {
  assert.equal(readFileSync('docs/sallyport.1', 'utf8'), manPage(outline), 'run "npm run man"')
})

test('the manual page names every command and option', () => {
  const page = manPage(outline).replaceAll('\\-', '-')
  for (const { path, options } of flatten(outline).slice(1)) {
    assert.ok(page.includes(`.Ss ${path.join(' ')}\n`), path.join(' '))
    for (const { names } of options) for (const name of names) assert.ok(name === '-h' || name === '--help' || page.includes(`Fl ${name.slice(1)}`), name)
  }
})
