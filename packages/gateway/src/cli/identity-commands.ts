import { open, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { z } from 'zod'
import type { AgentKey } from '../control/authority/agent-store.ts'
import { loadConfiguration } from '../control/configuration/configuration-file.ts'
import { dataFolder } from '../control/data-folder.ts'
import { askGateway, type AdminAnswer } from './admin-client.ts'
import { agentName, type Acting, type Common, type OperatorConsole } from './operator-console.ts'
import { recoverOffline } from './recover-offline.ts'
import { isoTime } from './table.ts'
import { tellAgent, tellAgents, tellRoots } from './tell-answers.ts'

/** `agent` on the side of the operator, and `ca`. */
export function addIdentityCommands({ root, agent }: { readonly root: Command; readonly agent: Command }, console: OperatorConsole): void {
  const { common, as, folderOf, person, print, run, ask, tell } = console
  const onAgent = (command: Command): Command => command.argument('<tenant/agent>', 'such as acme/invoice-bot', agentName)
  const nameOf = ({ tenant, agent: name }: AgentKey): string => `${tenant}/${name}`

  onAgent(as(agent.command('add').description('register an agent and print its one-time enrolment token')))
    .option('--token-file <file>', 'write the token to this new file, readable for you alone, and do not show it')
    .action((key: AgentKey, options: Acting & { readonly tokenFile?: string }) => run(options, () => addAgent(console, key, options)))
  common(agent.command('list').description('every agent and its standing')).action((options: Common) => ask(options, 'agent.list', {}, tellAgents))
  onAgent(common(agent.command('show').description('its standing and its certificates, which came from which, newest first'))).action(
    (key: AgentKey, options: Common) => ask(options, 'agent.show', key, tellAgent),
  )
  onAgent(as(agent.command('revoke').description('refuse the agent from now on and cut its connections')))
    .option('--certificate <fingerprint>', 'only this certificate, of those that "agent show" lists')
    .action((key: AgentKey, options: Acting & { readonly certificate?: string }) =>
      options.certificate === undefined
        ? ask(options, 'agent.revoke', { ...key, person: person(options) }, () => `revoked ${nameOf(key)}, its certificates and its unused token`)
        : ask(
            options,
            'agent.revoke-certificate',
            { ...key, certificate: options.certificate, person: person(options) },
            () => `revoked one certificate of ${nameOf(key)}`,
          ),
    )
  onAgent(as(agent.command('reinstate').description('let a revoked agent enrol again'))).action((key: AgentKey, options: Acting) =>
    ask(
      options,
      'agent.reinstate',
      { ...key, person: person(options) },
      () => `reinstated ${nameOf(key)}; its old certificates stay revoked: sallyport agent add ${nameOf(key)}`,
    ),
  )

  const ca = root.command('ca').description('the certificate authority')
  common(ca.command('list').description('the trusted roots, oldest first')).action((options: Common) => ask(options, 'ca.list', {}, tellRoots))
  as(ca.command('rotate').description('sign with a new root from now on')).action((options: Acting) =>
    ask(
      options,
      'ca.rotate',
      { person: person(options) },
      () => 'rotated: a new root signs agents from now on; retire the old one when every agent has renewed',
    ),
  )
  as(ca.command('retire').description('end the trust in a root').argument('<fingerprint>', 'as "ca list" shows it; after -- when it begins with a hyphen'))
    .option('--even-if-needed', 'also when certificates under it still count')
    .action((fingerprint: string, options: Acting & { readonly evenIfNeeded?: boolean }) =>
      ask(
        options,
        'ca.retire',
        { fingerprint, person: person(options), evenIfNeeded: options.evenIfNeeded === true },
        () => `retired ${fingerprint}: nothing under it is trusted any more`,
      ),
    )
  as(ca.command('recover').description('start over after the loss or theft of a key, with the gateway up or down: every agent enrols anew')).action(
    async (options: Acting) =>
      run(options, async () => {
        const said = 'recovered: a new root is trusted and nothing else; every agent needs a new token'
        const answer = await askGateway(dataFolder(folderOf(options)).adminSocket, 'ca.recover', { person: person(options) })
        if (answer.kind !== 'unreachable') return tell(options, answer, () => said)
        print(options, await recoverOffline(folderOf(options), await loadConfiguration(resolve(options.config)), person(options)), said)
      }),
  )
}

async function addAgent(console: OperatorConsole, key: AgentKey, options: Acting & { readonly tokenFile?: string }): Promise<void> {
  const { folderOf, person, print, tell } = console
  const { tokenFile } = options
  const socket = dataFolder(folderOf(options)).adminSocket
  // Before a token is made, which withdraws the one before.
  const file = tokenFile === undefined ? undefined : await open(tokenFile, 'wx', 0o600)
  try {
    const added = await askGateway(socket, 'agent.add', { ...key, person: person(options) })
    if (added.kind !== 'done') {
      if (tokenFile !== undefined) await rm(tokenFile)
      return tell(options, added)
    }
    const { token: text, ...rest } = token.parse(added.value)
    const enrolment = enrolmentAddress(await askGateway(socket, 'status', {}))
    const place = tokenFile === undefined ? { token: text } : { tokenFile }
    await file?.writeFile(`${text}\n`)
    print(options, { ...rest, ...place, ...(enrolment !== undefined && { enrolment }) }, tellToken(key, place, rest.expiresAtMs, enrolment))
  } finally {
    await file?.close()
  }
}

const withEnrolment = z.object({ addresses: z.object({ enrolment: z.string().optional() }) })
const token = z.object({ kind: z.literal('token'), token: z.string(), expiresAtMs: z.number() })

function enrolmentAddress(status: AdminAnswer): string | undefined {
  return status.kind === 'done' ? withEnrolment.safeParse(status.value).data?.addresses.enrolment : undefined
}

/** The address may be one that only this host knows: the agent's host needs a name of the gateway. */
function tellToken(
  { tenant, agent }: AgentKey,
  place: { readonly token: string } | { readonly tokenFile: string },
  expiresAtMs: number,
  enrolment: string | undefined,
): string {
  const [host = '', port = ''] = /^(.*):([0-9]+)$/.exec(enrolment ?? '')?.slice(1) ?? []
  const isOfEveryAddress = host === '0.0.0.0' || host === '::' || host === '[::]'
  const gateway = enrolment === undefined ? 'HOST:PORT' : isOfEveryAddress ? `HOST:${port}` : enrolment
  const isShown = 'token' in place
  return [
    `Enrolment token of ${tenant}/${agent}, ${isShown ? 'shown once' : `in ${place.tokenFile}`}, good for one use until ${isoTime(expiresAtMs)}.`,
    'A token that was made for it earlier is withdrawn.',
    '',
    ...(isShown
      ? [`  ${place.token}`, '', "On the agent's host, with the token on standard input or in SALLYPORT_ENROLMENT_TOKEN:"]
      : ["On the agent's host, where the file is:"]),
    '',
    `  sallyport agent enroll ${isShown ? '--token -' : `--token-file ${place.tokenFile}`} --gateway ${gateway}`,
    ...(enrolment === undefined ? ['', 'Enrolment is off: give "enrolment" an address and restart the gateway.'] : []),
  ].join('\n')
}
