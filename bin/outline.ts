import type { Argument, Command, Option } from 'commander'

/** What a command, an option or an argument takes, as far as a shell can offer it. */
export type Value =
  | { readonly kind: 'free' }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Names that the configuration and the data folder hold. */
  | { readonly kind: 'names'; readonly of: NameKind }

export const nameKinds = ['upstream', 'agent', 'tenant'] as const
export type NameKind = (typeof nameKinds)[number]

export interface OptionOutline {
  readonly names: readonly string[]
  /** As the help shows it: `-c, --config <file>`. */
  readonly shown: string
  readonly meaning: string
  readonly value?: Value
  readonly isValueOptional: boolean
}

/** A command as its help describes it. */
export interface CommandOutline {
  /** The words after `sallyport`. */
  readonly path: readonly string[]
  readonly usage: string
  readonly meaning: string
  readonly options: readonly OptionOutline[]
  readonly arguments: readonly { readonly shown: string; readonly meaning: string; readonly value: Value; readonly isVariadic: boolean }[]
  readonly commands: readonly CommandOutline[]
}

/** The words that lead to a command. */
export function pathOf(command: Command): readonly string[] {
  return command.parent ? [...pathOf(command.parent), command.name()] : []
}

/** The tree below a command as data, without what is hidden. */
export function outlineOf(command: Command): CommandOutline {
  const help = command.createHelp()
  const below = new Set(help.visibleCommands(command))
  return {
    path: pathOf(command),
    usage: help.commandUsage(command),
    meaning: command.description(),
    options: help.visibleOptions(command).map(outlineOption),
    arguments: command.registeredArguments.map((argument) => ({
      shown: help.argumentTerm(argument),
      meaning: argument.description,
      value: argumentValue(argument),
      isVariadic: argument.variadic,
    })),
    commands: command.commands.filter((known) => below.has(known)).map(outlineOf), // not those that commander makes for itself
  }
}

/** A command and everything below it, each before what is below it. */
export function flatten(outline: CommandOutline): readonly CommandOutline[] {
  return [outline, ...outline.commands.flatMap(flatten)]
}

function outlineOption(option: Option): OptionOutline {
  const { short, long, flags, description, argChoices } = option
  const [, valueName] = /[<[]([^\]>]+)[\]>]/.exec(flags) ?? []
  return {
    names: [short, long].filter((name) => name !== undefined),
    shown: flags,
    meaning: description,
    isValueOptional: option.optional,
    ...(valueName !== undefined && { value: argChoices ? { kind: 'words', words: argChoices } : valueOf(long === '--upstream' ? 'upstream' : valueName) }),
  }
}

function argumentValue(argument: Argument): Value {
  return argument.argChoices ? { kind: 'words', words: argument.argChoices } : valueOf(argument.name())
}

const byName: Readonly<Record<string, Value>> = {
  file: { kind: 'file' },
  path: { kind: 'file' },
  proof: { kind: 'file' },
  folder: { kind: 'folder' },
  dir: { kind: 'folder' },
  upstream: { kind: 'names', of: 'upstream' },
  tenant: { kind: 'names', of: 'tenant' },
  agent: { kind: 'names', of: 'agent' },
  'tenant/agent': { kind: 'names', of: 'agent' },
  target: { kind: 'names', of: 'agent' },
}

function valueOf(name: string): Value {
  return byName[name] ?? { kind: 'free' }
}
