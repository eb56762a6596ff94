import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { describeSystemError, exitCodes } from '@sallyport/contract'
import type { AgentSideIo } from './agent-side-io.ts'
import { CommandFailure } from './command-failure.ts'

export interface TokenOptions {
  readonly token?: string
  readonly tokenFile?: string
}

export const tokenVariable = 'SALLYPORT_ENROLMENT_TOKEN'
/** A token has about a hundred characters. */
const tokenCharactersMax = 1024

/**
 * The token from the one place that was named: a file, standard input, the command line, or the environment when no option is given.
 *
 * @throws CommandFailure when none or several are named, the file cannot be read, or what is there is too long to be a token
 */
export async function readEnrolmentToken({ stdin, env }: Pick<AgentSideIo, 'stdin' | 'env'>, { token, tokenFile }: TokenOptions): Promise<string> {
  if (token !== undefined && tokenFile !== undefined) throw new CommandFailure(exitCodes.usage, 'Give the token once: with --token or with --token-file')
  if (tokenFile !== undefined) return readStart(await openToken(tokenFile))
  if (token === '-') return readStart(stdin)
  const given = token ?? env[tokenVariable]
  if (given === undefined || given === '') {
    throw new CommandFailure(exitCodes.usage, `Give the token: in $${tokenVariable}, with --token-file FILE, or on standard input with --token -`)
  }
  return given
}

async function openToken(path: string): Promise<Readable> {
  try {
    const file = await open(path)
    return file.createReadStream()
  } catch (error) {
    throw new CommandFailure(exitCodes.configuration, describeSystemError(error) ?? `${path} cannot be read`)
  }
}

async function readStart(stream: Readable): Promise<string> {
  let text = ''
  for await (const piece of stream) {
    text += String(piece)
    if (text.length > tokenCharactersMax) throw new CommandFailure(exitCodes.usage, 'That is too long for a token')
  }
  return text.trim()
}
