import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { exitCodes, Fault } from '@sallyport/contract'
import type { Command } from 'commander'
import { hostsMax, makeAuthority } from '../connect/interception/authority.ts'
import { interceptableHosts } from '../connect/interception/interceptable-hosts.ts'
import { forgetAuthority, interceptionPlaces, keepAuthority, readAuthority, type KeptAuthority } from '../connect/interception/kept-authority.ts'
import { folderOf, openFolderLink, refusal, requireIdentity } from './agent-commands.ts'
import type { AgentSideIo } from './agent-side-io.ts'
import { CommandFailure } from './command-failure.ts'
import { runCommand, type Said } from './run-command.ts'

/** An authority with less life left is made anew. */
const lifeLeftMsMin = 30 * 24 * 3_600_000

interface TrustOptions {
  readonly identity?: string
  readonly new?: true
  readonly remove?: true
  readonly json?: true
}

/** `connect trust`: makes the authority by which the bridge ends TLS, and says how programs are told to trust it. */
export function addTrustCommand(connect: Command, io: AgentSideIo): void {
  connect
    .command('trust')
    .description('let programs call https:// through the bridge: make an authority for the hosts that the gateway lists, and say how to trust it')
    .option('--identity <dir>', "the agent's identity (default: $SALLYPORT_IDENTITY, else ~/.sallyport/agent)")
    .option('--new', 'a new one, also where the old one would do')
    .option('--remove', 'forget it: TLS through the bridge is refused again')
    .option('--json', 'print JSON')
    .action((options: TrustOptions) => runCommand(io, options.json === true, () => runTrust(io, options)))
}

async function runTrust(io: AgentSideIo, options: TrustOptions): Promise<Said> {
  const directory = resolve(folderOf(io, options))
  await requireIdentity(directory)
  const { certificate } = interceptionPlaces(directory)
  try {
    if (options.remove) {
      const removed = await forgetAuthority(directory)
      return { text: removed ? `Forgotten. Take ${certificate} out of what trusts it, and restart "sallyport connect".` : 'There was none.', json: { removed } }
    }
    const hosts = await hostsOfGateway(io, directory)
    const kept = options.new ? undefined : await readAuthority(directory)
    const isKept = kept !== undefined && serves(kept, hosts, io.now())
    if (!isKept) await keepAuthority(directory, await makeAuthority(hosts, io.now(), randomBytes), hosts)
    const { notAfterMs } = (await readAuthority(directory)) ?? { notAfterMs: 0 }
    const notAfter = new Date(notAfterMs).toISOString()
    return { text: howToTrust(certificate, hosts, notAfter, isKept), json: { certificate, hosts: [...hosts], notAfter, made: !isKept } }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new CommandFailure(exitCodes.configuration, error.message)
  }
}

async function hostsOfGateway(io: AgentSideIo, directory: string): Promise<readonly string[]> {
  const link = await openFolderLink(io, directory)
  try {
    const answered = await link.catalog()
    if (answered.kind === 'refused') throw refusal(answered.problem)
    const hosts = interceptableHosts(answered.catalog.upstreams)
    if (hosts.length === 0)
      throw new CommandFailure(
        exitCodes.configuration,
        'the gateway lists no host with a dot in its name that this agent may call: add it to "hosts" of its upstream',
      )
    if (hosts.length > hostsMax) throw new CommandFailure(exitCodes.configuration, `the gateway lists ${hosts.length} hosts, more than ${hostsMax}`)
    return hosts
  } finally {
    await link.close()
  }
}

function serves(kept: KeptAuthority, hosts: readonly string[], nowMs: number): boolean {
  return kept.notAfterMs - nowMs > lifeLeftMsMin && kept.hosts.join() === hosts.join()
}

function howToTrust(certificate: string, hosts: readonly string[], notAfter: string, isKept: boolean): string {
  return [
    `${isKept ? 'The authority is' : 'Made an authority'} in ${certificate}, until ${notAfter}. It can speak for these hosts and what is below them, and for nothing else:`,
    ...hosts.map((host) => `  ${host}`),
    isKept ? '' : 'Restart "sallyport connect", and tell programs to trust it:',
    `  Node              export NODE_EXTRA_CA_CERTS=${certificate}`,
    `  curl              export CURL_CA_BUNDLE=${certificate}   (or --cacert)`,
    `  Python requests   export REQUESTS_CA_BUNDLE=${certificate}`,
    `  Go, OpenSSL       export SSL_CERT_FILE=${certificate}`,
    'All but the first trust nothing else then, which is right for an agent whose only way out is the gateway.',
  ]
    .filter((line) => line !== '')
    .join('\n')
}
