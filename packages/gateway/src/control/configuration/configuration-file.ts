import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Fault, refused, type Refused } from '@sallyport/contract'
import { compileConfiguration, type CompiledConfiguration, type InvalidConfiguration } from './compile-configuration.ts'
import { formatFault } from './configuration-fault.ts'

/** What a configuration was compiled from, so that another thread can compile the same. */
export interface ReadText {
  readonly text: string
  readonly fileName: string
  readonly folder: string
  readonly revision: string
}

/** What a problem document has room for. */
const told = { characters: 4096, faults: 1000 } as const

export type ReadFile = readonly [compiled: CompiledConfiguration, text: ReadText]

/** Reads and compiles a configuration file. @throws Fault when it cannot be read */
export async function checkConfiguration(file: string): Promise<CompiledConfiguration | InvalidConfiguration> {
  const [source, folder] = await readSource(file)
  return compileConfiguration(source, folder, process.env['PATH'] ?? '')
}

/** As `checkConfiguration`. @throws Fault whose message shows every fault and its place */
export async function loadConfiguration(file: string): Promise<CompiledConfiguration> {
  return (await readConfigurationFile(file))[0]
}

/** As `loadConfiguration`, with the text. @throws Fault */
export async function readConfigurationFile(file: string): Promise<ReadFile> {
  const read = await readOnce(file)
  if ('faults' in read) throw new Fault(read.faults.map(formatFault).join('\n'), 'not-done')
  return read
}

/** For a reload: refuses `control.configuration-invalid` instead of throwing. */
export async function readAgain(file: string): Promise<ReadFile | Refused> {
  try {
    const read = await readOnce(file)
    if (!('faults' in read)) return read
    const text = read.faults.map(formatFault).join('\n')
    const detail = text.length > told.characters ? `${text.slice(0, told.characters - 1)}…` : text
    return refused('control.configuration-invalid', text, { detail, faults: read.faults.slice(0, told.faults) })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return refused('control.configuration-invalid', error.message, { detail: error.message })
  }
}

async function readOnce(file: string): Promise<ReadFile | InvalidConfiguration> {
  const [source, folder] = await readSource(file)
  const compiled = await compileConfiguration(source, folder, process.env['PATH'] ?? '')
  return compiled.kind === 'invalid' ? compiled : [compiled, { ...source, folder, revision: compiled.revision }]
}

async function readSource(file: string): Promise<readonly [source: { readonly text: string; readonly fileName: string }, folder: string]> {
  try {
    return [{ text: await readFile(file, 'utf8'), fileName: basename(file) }, dirname(file)]
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new Fault(`${file} cannot be read (${code}): run "sallyport init" first, or name it with -c`, 'not-done', error)
  }
}
