import { Fault } from '@sallyport/contract'
import { compileConfiguration, type CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import type { ConfigurationText } from './plane-ports.ts'

/** Compiles what the main thread has compiled already. @throws Fault when it does not come to the same, because a file that it names was changed meanwhile */
export async function compileText({ text, fileName, folder, revision }: ConfigurationText): Promise<CompiledConfiguration> {
  const compiled = await compileConfiguration({ text, fileName }, folder, process.env['PATH'] ?? '')
  if (compiled.kind === 'invalid' || compiled.revision !== revision)
    throw new Fault('a file of the configuration was changed while it was read: reload again', 'not-done')
  return compiled
}
