import { Fault } from '@sallyport/contract'
import type { Command } from 'commander'
import { exitCodes, type Acting, type Common, type OperatorConsole, type Terminal } from './operator-console.ts'
import { tellSecrets } from './tell-answers.ts'

type OfTenant = Acting & { readonly tenant?: string }

/** Longest value read from standard input. */
const valueLengthMax = 16_384

/** `secret`: credentials for upstreams. */
export function addSecretCommands(root: Command, { common, as, person, ask, run, fail }: OperatorConsole, { stdin }: Pick<Terminal, 'stdin'>): void {
  const secret = root.command('secret').description('credentials for upstreams, sealed by sealing.key in the data folder')
  const where = ({ tenant }: OfTenant): { tenant?: string } => (tenant === undefined ? {} : { tenant })
  const whose = ({ tenant }: OfTenant): string => (tenant === undefined ? '' : ` of ${tenant}`)
  for (const [verb, done] of [
    ['set', 'set'],
    ['rotate', 'rotated'],
  ] as const) {
    as(secret.command(`${verb} <name>`).description(`${verb} a secret of at least 8 characters; its value is read from standard input`))
      .option('--tenant <tenant>', "this tenant's own value")
      .action(async (name: string, options: OfTenant) =>
        run(options, async () => {
          const value = await readSecret(stdin)
          if (value === '') return fail(options, `standard input was empty: sallyport secret ${verb} ${name} < FILE`, exitCodes.usage)
          await ask(options, `secret.${verb}`, { name, ...where(options), value, person: person(options) }, () => `${done} ${name}${whose(options)}`)
        }),
      )
  }
  common(secret.command('list').description('names and versions, never values')).action((options: Common) => ask(options, 'secret.list', {}, tellSecrets))
  as(secret.command('remove <name>').description('forget a secret'))
    .option('--tenant <tenant>', "this tenant's own value")
    .action((name: string, options: OfTenant) =>
      ask(options, 'secret.remove', { name, ...where(options), person: person(options) }, () => `removed ${name}${whose(options)}`),
    )
}

/** One secret, which never stands on a command line. @throws Fault when it is too long */
export async function readSecret(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const piece of stdin) {
    text += String(piece)
    if (text.length > valueLengthMax) throw new Fault('the value on standard input is too long', 'not-done')
  }
  return text.replace(/\r?\n$/, '')
}
