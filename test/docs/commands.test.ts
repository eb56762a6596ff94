import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Command } from 'commander'
import { program } from '../../bin/program.ts'
import { nowhere } from '../fixtures/nowhere.ts'

const root = program(nowhere(), [])

/** What a reader would type: in code, from the name of the program to where another command, a comment or the code ends. */
function mentioned(text: string): readonly string[] {
  const code = [...text.matchAll(/^ *```(?!yaml|json|js|ts|ini|text)\w*\n([^]*?)\n *```$|`([^`\n]+)`/gm)].flatMap(([, block, span]) =>
    (block ?? span ?? '').split('\n'),
  )
  return code.flatMap((line) => [...line.matchAll(/(?:^|[\s"(=])sallyport ([a-z][^|;&#"`)]*)/g)].map(([, words = '']) => words.trim()))
}

/** What is wrong with the words: a command or an option that there is not. */
function objection(words: readonly string[]): string | undefined {
  let command = root
  let isName = true
  for (const word of words) {
    if (word === '--') return undefined
    const [, option] = /^\[?(--?[a-z-]+)/.exec(word) ?? []
    if (option !== undefined) {
      isName = false // what follows may be its value
      if (option !== '--help' && !command.options.some(({ long, short }) => long === option || short === option))
        return `${command.name()} has no option ${option}`
    } else if (isName) {
      const below = command.commands.find((known) => known.name() === word)
      if (!below && command.commands.length > 0 && /^[a-z-]+$/.test(word)) return `there is no command ${word}`
      isName = below !== undefined
      command = below ?? command
    }
  }
  return undefined
}

test('the commands in the documents exist, with the options that they are shown with', () => {
  const pages = ['README.md', ...globSync('docs/**/*.md').sort()]
  const shown = pages.flatMap((page) => mentioned(readFileSync(page, 'utf8')).map((command) => ({ page, command })))
  assert.ok(shown.length > 50, `only ${shown.length} were found`)
  const wrong = shown.flatMap(({ page, command }) => {
    const found = objection(command.split(/\s+/))
    return found === undefined ? [] : [`${page}: sallyport ${command}: ${found}`]
  })
  assert.deepEqual(wrong, [])
})

test('what is no command, or has not the option, is found', () => {
  for (const words of ['statsu', 'agent list --full', 'log prove 7 --entrie x']) assert.notEqual(objection(words.split(' ')), undefined, words)
  for (const words of ['status --full', 'ca retire -- --x', 'log prove 7 --entry x', 'connect claude-code --write'])
    assert.equal(objection(words.split(' ')), undefined, words)
})

test('docs/cli.md names every command', () => {
  const page = readFileSync('docs/cli.md', 'utf8')
  const visible = ({ commands }: Command): readonly Command[] => commands.filter((command) => command.name() !== 'completable-names')
  const names = (command: Command): readonly string[] =>
    command.commands.length > 0 && command.name() !== 'connect' && command.name() !== 'disconnect'
      ? visible(command).flatMap((below) => names(below).map((name) => `${command === root ? '' : `${command.name()} `}${name}`))
      : [command.name()]
  assert.deepEqual(
    names(root).filter((name) => !page.includes(`\`${name}`)),
    [],
  )
})
