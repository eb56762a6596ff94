import { exitCodes } from '@sallyport/contract'
import { examples } from './examples.ts'
import { flatten, type CommandOutline, type OptionOutline } from './outline.ts'

/** Of the last change that a reader of the page should notice. */
const changedOn = 'November 25, 2026'
const lineLengthMax = 78

/** The manual page of the whole program in mdoc. @see mdoc(7) */
export function manPage(root: CommandOutline): string {
  const [, ...commands] = flatten(root)
  return [
    `.Dd ${changedOn}`,
    '.Dt SALLYPORT 1',
    '.Os',
    '.Sh NAME',
    '.Nm sallyport',
    '.Nd the two-door gate for AI agents',
    '.Sh SYNOPSIS',
    '.Nm sallyport',
    '.Ar command',
    '.Op Ar argument ...',
    '.Op Ar option ...',
    '.Sh DESCRIPTION',
    'The gateway stands between agents and everything that they call, on a host of its own.',
    'It ends mutual TLS, decides each call by rules, writes each decision to a tamper-evident log, and only then forwards.',
    'On the hosts of agents',
    '.Nm',
    'enrols them and is the bridge for clients that cannot show a certificate.',
    '.Sh COMMANDS',
    ...commands.flatMap(section),
    '.Sh ENVIRONMENT',
    '.Bl -tag -width Ds',
    ...environment.flatMap(([name, meaning]) => [`.It Ev ${name}`, ...prose(meaning)]),
    '.El',
    '.Sh FILES',
    '.Bl -tag -width Ds',
    ...files.flatMap(([name, meaning]) => [`.It Pa ${name}`, ...prose(meaning)]),
    '.El',
    '.Sh EXIT STATUS',
    '.Bl -tag -width Ds',
    ...Object.entries(statuses).flatMap(([name, meaning]) => [`.It ${exitCodes[name as keyof typeof statuses]}`, ...prose(meaning)]),
    '.El',
    '.Sh EXAMPLES',
    ...shown(root).slice(1),
    '.Sh SEE ALSO',
    'The pages under',
    '.Pa docs/ ,',
    'first of all',
    '.Pa docs/cli.md ,',
    '.Pa docs/configuration.md',
    'and',
    '.Pa docs/connect.md .',
    '',
  ]
    .flatMap((line) => (line.startsWith('.') || line.length <= lineLengthMax ? [line] : wrapped(line)))
    .join('\n')
}

const environment = [
  ['SALLYPORT_CONFIG', 'The configuration, where --config does not name it.'],
  ['SALLYPORT_DATA', 'The data folder, where --data does not name it.'],
  ['SALLYPORT_PERSON', 'Who acts, where --as does not name them.'],
  ['SALLYPORT_IDENTITY', "The folder of the agent's identity, where --identity or --out does not name it."],
  ['SALLYPORT_ENROLMENT_TOKEN', 'The token of agent enroll.'],
  ['SALLYPORT_NODE', 'The Node that runs the program where the one that started it is too old.'],
] as const

const files = [
  ['sallyport.yaml', 'The configuration.'],
  ['.sallyport/', 'The data folder beside it: keys, log and database of the gateway, for its owner alone.'],
  ['~/.sallyport/agent/', "The identity on an agent's host."],
] as const

const statuses: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'Done.',
  error: 'An error or a refusal, or something that was examined is not in order.',
  approvalNeeded: 'A person must approve first.',
  denied: 'Denied by a rule, or the identity does not count.',
  usage: 'The command line, or what was given on standard input, is not valid.',
  configuration: 'The configuration is not valid, or a folder or file cannot be used.',
}

function section(outline: CommandOutline): readonly string[] {
  const { path, meaning, options, arguments: given } = outline
  const own = options.filter(({ names }) => !names.includes('--help'))
  const described = given.filter((argument) => argument.meaning !== '')
  return [
    `.Ss ${path.join(' ')}`,
    `.Nm sallyport ${path.join(' ')}`,
    ...given.map((argument) => argumentMacro(argument.shown, argument.isVariadic)),
    ...(own.length > 0 ? ['.Op Ar option ...'] : []),
    ...(outline.commands.length > 0 ? ['.Ar command'] : []),
    '.Pp',
    ...prose(sentence(meaning)),
    ...(described.length > 0 || own.length > 0
      ? [
          '.Bl -tag -width Ds',
          ...described.flatMap((argument) => [`.It Ar ${escaped(bare(argument.shown))}`, ...prose(sentence(argument.meaning))]),
          ...own.flatMap((option) => [`.It ${flags(option)}`, ...prose(sentence(option.meaning))]),
          '.El',
        ]
      : []),
    ...shown(outline),
  ]
}

function shown({ path }: CommandOutline): readonly string[] {
  return (examples[path.join(' ')] ?? []).flatMap(([line, meaning]) => ['.Pp', ...prose(`${sentence(meaning).slice(0, -1)}:`), `.Dl ${escaped(line)}`])
}

function argumentMacro(name: string, isVariadic: boolean): string {
  const dots = isVariadic ? ' ...' : ''
  return name.startsWith('[') ? `.Op Ar ${escaped(bare(name))}${dots}` : `.Ar ${escaped(bare(name))}${dots}`
}

function bare(name: string): string {
  return name.replaceAll(/^[<[]|(?:\.\.\.)?[\]>]$/g, '')
}

/** Such as `Fl c , Fl -config Ar file`. */
function flags({ names, shown: text, isValueOptional }: OptionOutline): string {
  const [, value] = /[<[]([^\]>]+)[\]>]/.exec(text) ?? []
  const macro = value === undefined ? '' : isValueOptional ? ` Op Ar ${escaped(value)}` : ` Ar ${escaped(value)}`
  return `${names.map((name) => `Fl ${escaped(name.slice(1))}`).join(' , ')}${macro}`
}

function sentence(text: string): string {
  const whole = /[.:]$/.test(text) ? text : `${text}.`
  return whole === '.' ? whole : `${whole[0]?.toUpperCase()}${whole.slice(1)}`
}

/** Lines of running text: a sentence begins a line, and no line begins as a request does. */
function prose(text: string): readonly string[] {
  return text
    .split(/(?<=[.:]) (?=[A-Z$])/)
    .flatMap((line) => wrapped(escaped(line)))
    .map((line) => (/^[.']/.test(line) ? String.raw`\&${line}` : line))
}

function wrapped(line: string): readonly string[] {
  const lines: string[] = []
  for (const word of line.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < lineLengthMax) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Characters that roff would take for something else. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('`', String.raw`\(ga`)
    .replaceAll("'", String.raw`\(aq`)
    .replaceAll('"', String.raw`\(dq`)
    .replaceAll('~', String.raw`\(ti`)
    .replaceAll('-', String.raw`\-`)
}
