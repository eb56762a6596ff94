import { exitCodeOf, exitCodes, Fault, problems, type JsonObject, type Problem } from '@sallyport/contract'
import type { Command } from 'commander'
import { enroll, holdsIdentity, loadIdentity, makeFolder, nextRenewalAt, renew, type HeldIdentity } from '../enrolment/index.ts'
import { formatAuthority } from '../link/authority.ts'
import { openLink, type GatewayLink, type LinkOptions } from '../link/gateway-link.ts'
import { identityInFolder } from '../link/identity-source.ts'
import { clockOf, type AgentSideIo } from './agent-side-io.ts'
import { defaultIdentityFolder } from './default-folder.ts'
import { CommandFailure } from './command-failure.ts'
import { readEnrolmentToken, tokenVariable, type TokenOptions } from './read-enrolment-token.ts'
import { runCommand, type Said } from './run-command.ts'
import type { SessionTrouble } from '../session/keep-session.ts'
import { sessionInFolder } from '../session/session-files.ts'
import { tellSessionTrouble } from './session-trouble.ts'

interface EnrollOptions extends TokenOptions {
  readonly gateway: string
  readonly agents?: string
  readonly out?: string
  readonly replace?: true
  readonly json?: true
}

interface IdentityOptions {
  readonly identity?: string
  readonly json?: true
}

/** `agent enroll`, `agent renew`, `agent whoami`. */
export function addAgentCommands(parent: Command, io: AgentSideIo): void {
  parent
    .command('enroll')
    .description(`exchange a one-time token, from $${tokenVariable}, a file or standard input, for a certificate over a key that is made here and never leaves`)
    .option('--token-file <file>', 'reads the token that "sallyport agent add" printed from a file')
    .option('--token <token>', 'the token itself, or - to read it from standard input; other users of this host see what stands on a command line')
    .requiredOption('--gateway <host:port>', "the gateway's enrolment listener")
    .option('--agents <host:port>', 'where agents connect, if the gateway is reached by another address than it says')
    .option('--out <dir>', 'where the identity goes (default: $SALLYPORT_IDENTITY, else ~/.sallyport/agent)')
    .option('--replace', 'take the place of an identity that is already there')
    .option('--json', 'print JSON')
    .action((options: EnrollOptions) => runCommand(io, options.json === true, () => runEnroll(io, options)))
  identityCommand(parent, 'renew', 'renew the certificate now, over the proof of the one that is held').action((options: IdentityOptions) =>
    runCommand(io, options.json === true, () => runRenew(folderOf(io, options))),
  )
  identityCommand(parent, 'whoami', 'ask the gateway whom it sees').action((options: IdentityOptions) =>
    runCommand(io, options.json === true, () => runWhoami(io, folderOf(io, options))),
  )
}

function identityCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--identity <dir>', "the agent's identity (default: $SALLYPORT_IDENTITY, else ~/.sallyport/agent)")
    .option('--json', 'print JSON')
}

export function folderOf({ env }: AgentSideIo, { identity }: IdentityOptions): string {
  return identity ?? defaultIdentityFolder(env)
}

async function runEnroll(io: AgentSideIo, { gateway, agents, out, replace, ...given }: EnrollOptions): Promise<Said> {
  const directory = out ?? defaultIdentityFolder(io.env)
  if (!replace) await refuseEnrolledFolder(directory, io.now())
  const token = await readEnrolmentToken(io, given)
  await usableFolder(directory)
  const answered = await enroll({ address: gateway, token, directory, ...(agents !== undefined && { gatewayAddress: agents }) })
  if (answered.kind === 'refused') {
    throw refusal(answered.problem, 'Tokens work once and for a short time: have an operator run "sallyport agent add" again.')
  }
  await forgetSession(directory)
  const { text, json } = describe('Enrolled', directory, answered.held)
  const trouble = await troubleAt(io, directory)
  if (trouble === undefined) return { text: `${text}\nthe gateway answers at ${formatAuthority(answered.held.gateway)}`, json: { ...json, reached: true } }
  io.stderr.write(`sallyport: warning: enrolled, but agents cannot work yet: ${trouble}\n`)
  return { text, json: { ...json, reached: false } }
}

/** It belongs to a certificate of before, and perhaps to another agent. */
async function forgetSession(directory: string): Promise<void> {
  const store = sessionInFolder(directory)
  await store.underLock(() => store.remove())
}

/** The token serves once: it is sent when its fruit can be kept. */
async function usableFolder(directory: string): Promise<void> {
  try {
    await makeFolder(directory)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new CommandFailure(exitCodes.configuration, error.message)
  }
}

/** Enrolment has a listener of its own: that it was reached says nothing of the one where agents call. */
async function troubleAt(io: AgentSideIo, directory: string): Promise<string | undefined> {
  const link = await openFolderLink(io, directory)
  try {
    const answered = await link.whoami()
    return answered.kind === 'refused' ? answered.problem.title : undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return `${error.message}. If it is reached at another address, ask for a new token and enrol with --replace --agents HOST:PORT.`
  } finally {
    await link.close()
  }
}

/** The token serves once: it must not be used up for an identity that is already there, nor one agent take the place of another by mistake. */
async function refuseEnrolledFolder(directory: string, nowMs: number): Promise<void> {
  const found = await whatIsEnrolled(directory, nowMs)
  if (found === undefined) return
  const advice = 'Nothing was sent. Use another folder with --out DIR, or add --replace to give up the identity that is there.'
  throw new CommandFailure(exitCodes.configuration, `${directory} ${found} ${advice}`)
}

async function whatIsEnrolled(directory: string, nowMs: number): Promise<string | undefined> {
  if (!(await holdsIdentity(directory))) return undefined
  try {
    const { identity, notAfterMs } = await loadIdentity(directory)
    const until = new Date(notAfterMs).toISOString()
    if (notAfterMs <= nowMs) return `holds the identity of ${identity.id}, whose certificate ended ${until}.`
    return `already holds the identity of ${identity.id}, valid until ${until}: "sallyport agent renew" renews it, "sallyport connect" uses it.`
  } catch (error) {
    if (error instanceof Fault) return `holds an identity that cannot be used (${error.message}).`
    throw error
  }
}

async function runRenew(directory: string): Promise<Said> {
  await requireIdentity(directory)
  const answered = await renew({ directory })
  if (answered.kind === 'refused') throw refusal(answered.problem, 'If the certificate is expired or revoked, enrol again.')
  return describe('Renewed', directory, answered.held)
}

async function runWhoami(io: AgentSideIo, directory: string): Promise<Said> {
  await requireIdentity(directory)
  const link = await openFolderLink(io, directory)
  try {
    const answered = await link.whoami()
    if (answered.kind === 'refused') throw refusal(answered.problem)
    const { id, tenant, agent, notAfter, session } = answered.whoami
    return {
      text: `${id}\ncertificate valid until ${notAfter}${session ? `\nin a session of ${session.person}, who logged in at ${session.issuer}` : ''}`,
      json: { id, tenant, agent, notAfter, gateway: formatAuthority(link.gateway), ...(session && { session }) },
    }
  } finally {
    await link.close()
  }
}

/** @throws CommandFailure with the code for a wrong configuration when there is no usable identity. */
export async function requireIdentity(directory: string): Promise<void> {
  try {
    await identityInFolder(directory).load()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const hint = 'Run "sallyport agent enroll --token - --gateway HOST:PORT", or name another folder with --identity or $SALLYPORT_IDENTITY.'
    throw new CommandFailure(exitCodes.configuration, `${error.message}. ${hint}`)
  }
}

/** The link over the identity and the session in a folder; what fails of keeping them fresh is told on standard error. */
export function openFolderLink(io: AgentSideIo, directory: string): Promise<GatewayLink> {
  const report = (trouble: SessionTrouble): void => void io.stderr.write(`sallyport: ${tellSessionTrouble(trouble)}\n`)
  return openLink({ ...plainOptions(io, directory), session: { store: sessionInFolder(directory), random: Math.random, report } })
}

/** The same without a session, for what must not wait for one. */
export function openPlainLink(io: AgentSideIo, directory: string): Promise<GatewayLink> {
  return openLink(plainOptions(io, directory))
}

function plainOptions(io: AgentSideIo, directory: string): LinkOptions {
  return {
    identity: identityInFolder(directory),
    clock: clockOf(io),
    report: (failure) => io.stderr.write(`sallyport: the certificate is not renewed yet: ${describeFailure(failure)}\n`),
  }
}

export function refusal(problem: Problem, hint = ''): CommandFailure {
  const said = [problems[problem.code].title, problem.detail, hint].filter((part) => part !== undefined && part !== '')
  return new CommandFailure(exitCodeOf(problem.code), `${said.map((part) => part?.replace(/\.$/, '')).join('. ')}. (${problem.code})`, { ...problem })
}

function describe(verb: string, directory: string, held: HeldIdentity): { readonly text: string; readonly json: JsonObject } {
  const { identity, gateway, notAfterMs } = held
  const notAfter = new Date(notAfterMs).toISOString()
  const renewsAt = new Date(nextRenewalAt(held)).toISOString()
  const lines = [
    `${verb} as ${identity.id}`,
    `identity in ${directory}`,
    `certificate valid until ${notAfter}; "sallyport connect" renews it from ${renewsAt} on`,
  ]
  return {
    text: lines.join('\n'),
    json: { id: identity.id, tenant: identity.tenant, agent: identity.agent, directory, gateway: formatAuthority(gateway), notAfter, renewsAt },
  }
}

function describeFailure(failure: unknown): string {
  if (failure instanceof Error) return failure.message
  return typeof failure === 'object' && failure !== null && 'reason' in failure ? String(failure.reason) : String(failure)
}
