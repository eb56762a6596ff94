import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { exitCodes, type Acting, type OperatorConsole, type Terminal } from './operator-console.ts'
import { readSecret } from './secret-commands.ts'
import { telling } from './tell-answers.ts'

interface RotateOptions extends Acting {
  readonly keyId?: string
  readonly certificate?: string
  readonly key?: string
  readonly secretStdin?: boolean
}

/** `identity-provider`: the gateway as a client of the providers at which people log in. */
export function addProviderCommands(root: Command, console: OperatorConsole, { stdin }: Pick<Terminal, 'stdin'>): void {
  const { as, person, ask, run, fail } = console
  const provider = root.command('identity-provider').description('the providers at which people log in, and how they know this gateway')
  as(
    provider
      .command('rotate')
      .description('replace the credential of this gateway at a provider, until the old one is shown to be refused; again to go on')
      .argument('<provider>', 'as sessions.providers names it'),
  )
    .option('--key-id <kid>', 'how the provider calls the new key, where it names keys itself')
    .option('--certificate <file>', 'the new certificate, for a gateway that is known by one')
    .option('--key <file>', 'its private key')
    .option('--secret-stdin', 'the new secret, from standard input, for a gateway that is known by one')
    .action((name: string, options: RotateOptions) =>
      run(options, async () => {
        const given = [options.keyId, options.certificate ?? options.key, options.secretStdin].filter((option) => option !== undefined)
        if (given.length > 1 || (options.certificate === undefined) !== (options.key === undefined))
          return fail(options, 'give one of --key-id, --certificate with --key, and --secret-stdin', exitCodes.usage)
        const offered = await offeredBy(options, stdin)
        const input = { provider: name, person: person(options), ...(offered && { offered }) }
        await ask(options, 'identity-provider.rotate', input, tellRotation)
      }),
    )
}

async function offeredBy({ keyId, certificate, key, secretStdin }: RotateOptions, stdin: NodeJS.ReadableStream): Promise<object | undefined> {
  if (keyId !== undefined) return { method: 'key-id', keyId }
  if (secretStdin === true) return { method: 'secret', secret: await readSecret(stdin) }
  if (certificate === undefined || key === undefined) return undefined
  const [certificatePem, keyPem] = await Promise.all([certificate, key].map((file) => readFile(file, 'utf8')))
  return { method: 'tls', certificatePem, keyPem }
}

const step = z.object({ by: z.string(), instruction: z.string(), state: z.enum(['ahead', 'here', 'done']) })
const rotation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('rotated'), provider: z.string(), steps: z.array(step) }),
  z.object({ kind: z.literal('waiting'), provider: z.string(), reason: z.string(), steps: z.array(step), publicKey: z.looseObject({}).optional() }),
])

const marks = { ahead: ' ', here: '>', done: 'x' } as const

const tellRotation = telling(rotation, (given) => {
  const steps = given.steps.map(({ by, instruction, state }) => `[${marks[state]}] ${by === 'person' ? 'you: ' : ''}${instruction}`).join('\n')
  if (given.kind === 'rotated')
    return `${steps}\n\nrotated: ${given.provider} takes the new credential and refuses the old one. The new one is sealed in the data folder; what the configuration names is left as it is, and no longer counts.`
  const key = given.publicKey ? `\n\nThe public key, as a provider takes it:\n${JSON.stringify(given.publicKey)}` : ''
  return `${steps}${key}\n\nIt waits: ${given.reason}. Then: sallyport identity-provider rotate ${given.provider}`
})
