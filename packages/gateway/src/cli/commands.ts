import { randomBytes } from 'node:crypto'
import { access, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { configurationJsonSchema, defaultAddresses, Fault } from '@sallyport/contract'
import type { Command } from 'commander'
import { schemaFileName, writeStarterConfiguration } from '../control/configuration/write-starter-configuration.ts'
import { dataFolder } from '../control/data-folder.ts'
import { initialise, loadConfiguration, startGateway } from '../main.ts'
import { askGateway } from './admin-client.ts'
import { addBackupCommands } from './backup-commands.ts'
import { examine } from './doctor.ts'
import { addLogCommands } from './log-commands.ts'
import { exitCodes, OperatorConsole, type Acting, type Common, type Terminal } from './operator-console.ts'
import { recoverOffline } from './recover-offline.ts'
import { addSupportCommand } from './support/support-command.ts'
import { shownJson } from './show.ts'
import { addToolCommands } from './tool-commands.ts'

export { exitCodes, type Terminal } from './operator-console.ts'

/** The operator's commands. */
export function addOperatorCommands({ root, agent }: { readonly root: Command; readonly agent: Command }, terminal: Terminal): void {
  const console = new OperatorConsole(terminal)
  const { common, as, shows, folderOf, person, print, warn, fail, run, ask } = console
  const agentNamed = (text: string): { tenant: string; agent: string } =>
    readAgentName(text) ??
    root.error(`error: ${JSON.stringify(text)} is no agent: write TENANT/AGENT in lower-case letters, digits and hyphens, such as acme/invoice-bot`)

  common(root.command('init').description('make the trust domain, its keys and a ready configuration; safe to repeat'))
    .option('--trust-domain <name>', 'the SPIFFE trust domain', 'agents.internal')
    .action(async (options: Common & { readonly trustDomain: string }) =>
      run(options, async () => {
        await initialise(folderOf(options), options.trustDomain)
        const isThere = await access(options.config).then(
          () => true,
          () => false,
        )
        if (!isThere) {
          const text = writeStarterConfiguration({
            trustDomain: options.trustDomain,
            ...defaultAddresses,
          })
          await writeFile(options.config, text, { flag: 'wx' })
        }
        await writeFile(join(dirname(options.config), schemaFileName), `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`)
        print(
          options,
          { configuration: options.config, created: !isThere },
          `${isThere ? 'kept' : 'wrote'} ${options.config}; start the gateway with "sallyport up"`,
        )
      }),
    )

  const tell = (event: string, facts: object): void =>
    void terminal.stderr.write(`${shownJson({ time: new Date().toISOString(), event, ...facts }, { isFull: true, isLine: true })}\n`)
  common(root.command('up').description('run the gateway until it is asked to stop')).action(async (options: Common) =>
    run(
      options,
      async () => {
        const gateway = await startGateway({
          configurationFile: resolve(options.config),
          dataFolder: folderOf(options),
          report: (event, error) => tell(event, { error: error instanceof Error ? error.message : String(error) }),
          tell,
        })
        const { addresses, logKey, warnings } = gateway
        warn(warnings)
        print(
          options,
          { addresses, logKey },
          `agents      https://${addresses.agents}\nenrolment   ${addresses.enrolment ?? 'off'}\noperations  ${addresses.operations ?? 'off'}\nlog key     ${logKey}`,
        )
        if (!terminal.stop.aborted) await new Promise((done) => terminal.stop.addEventListener('abort', done, { once: true }))
        await gateway.stop()
      },
      exitCodes.configuration,
    ),
  )

  common(root.command('validate').description('check the configuration without starting anything')).action(async (options: Common) =>
    run(
      options,
      async () => {
        const { revision, warnings } = await loadConfiguration(resolve(options.config))
        warn(warnings)
        print(options, { revision, warnings }, `valid: revision ${revision}`)
      },
      exitCodes.configuration,
    ),
  )
  shows(root.command('status').description('what the running gateway says of itself')).action((options: Common) => ask(options, 'status', {}))
  as(root.command('reload').description('activate the configuration file, or keep the running one if it is not valid')).action(
    (options: Acting, command: Command) =>
      ask(options, 'reload', { person: person(options), ...(command.getOptionValueSource('config') === 'cli' && { file: resolve(options.config) }) }),
  )

  as(agent.command('add <tenant/agent>').description('register an agent and print its one-time enrolment token')).action((name: string, options: Acting) =>
    run(options, async () => {
      const socket = dataFolder(folderOf(options)).adminSocket
      const answer = await askGateway(socket, 'agent.add', { ...agentNamed(name), person: person(options) })
      const status = answer.kind === 'done' ? await askGateway(socket, 'status', {}) : undefined
      const enrolment = status?.kind === 'done' ? field(fieldValue(status.value, 'addresses'), 'enrolment') : ''
      console.tell(options, answer, (value) => nextStep(name, field(value, 'token'), Number(field(value, 'expiresAtMs')), enrolment))
    }),
  )
  common(agent.command('list').description('every agent and its standing')).action((options: Common) => ask(options, 'agent.list', {}))
  common(agent.command('show <tenant/agent>').description('its standing and its certificates, which came from which, newest first')).action(
    (name: string, options: Common) => ask(options, 'agent.show', agentNamed(name)),
  )
  as(agent.command('revoke <tenant/agent>').description('refuse the agent from now on and cut its connections'))
    .option('--certificate <fingerprint>', 'only this certificate, of those that "agent show" lists')
    .action((name: string, options: Acting & { readonly certificate?: string }) =>
      options.certificate === undefined
        ? ask(options, 'agent.revoke', { ...agentNamed(name), person: person(options) })
        : ask(options, 'agent.revoke-certificate', { ...agentNamed(name), certificate: options.certificate, person: person(options) }),
    )
  as(agent.command('reinstate <tenant/agent>').description('let a revoked agent enrol again')).action((name: string, options: Acting) =>
    ask(options, 'agent.reinstate', { ...agentNamed(name), person: person(options) }),
  )

  const ca = root.command('ca').description('the certificate authority')
  common(ca.command('list').description('the trusted roots')).action((options: Common) => ask(options, 'ca.list', {}))
  as(ca.command('rotate').description('sign with a new root from now on')).action((options: Acting) => ask(options, 'ca.rotate', { person: person(options) }))
  as(ca.command('retire').description('end the trust in a root').argument('<fingerprint>', 'as "ca list" shows it; after -- when it begins with a hyphen'))
    .option('--even-if-needed', 'also when certificates under it still count')
    .action((fingerprint: string, options: Acting & { readonly evenIfNeeded?: boolean }) =>
      ask(options, 'ca.retire', { fingerprint, person: person(options), evenIfNeeded: options.evenIfNeeded === true }),
    )
  as(ca.command('recover').description('start over after the loss or theft of a key, with the gateway up or down: every agent enrols anew')).action(
    async (options: Acting) =>
      run(options, async () => {
        const answer = await askGateway(dataFolder(folderOf(options)).adminSocket, 'ca.recover', { person: person(options) })
        if (answer.kind !== 'unreachable') return console.tell(options, answer)
        const { configuration } = await loadConfiguration(resolve(options.config))
        print(options, await recoverOffline(folderOf(options), configuration.trustDomain, person(options)))
      }),
  )

  const secret = root.command('secret').description('credentials for upstreams, sealed by sealing.key in the data folder')
  for (const verb of ['set', 'rotate'] as const) {
    as(secret.command(`${verb} <name>`).description(`${verb} a secret; its value is read from standard input`))
      .option('--tenant <tenant>', "this tenant's own value")
      .action(async (name: string, options: Acting & { readonly tenant?: string }) =>
        ask(options, `secret.${verb}`, { name, ...tenantOf(options), value: await readValue(terminal.stdin), person: person(options) }),
      )
  }
  common(secret.command('list').description('names and versions, never values')).action((options: Common) => ask(options, 'secret.list', {}))
  as(secret.command('remove <name>').description('forget a secret'))
    .option('--tenant <tenant>')
    .action((name: string, options: Acting & { readonly tenant?: string }) =>
      ask(options, 'secret.remove', { name, ...tenantOf(options), person: person(options) }),
    )

  shows(root.command('approvals').description('the calls that wait for a person, with all that would be sent'))
    .option('--all', 'also those that are answered or used')
    .action((options: Common & { readonly all?: boolean }) => ask(options, 'approvals', { all: options.all === true }))
  for (const [verb, answer] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    as(root.command(`${verb} <approval>`).description(`${verb} one held call, once`))
      .option('-m, --note <text>', 'why')
      .action((id: string, options: Acting & { readonly note?: string }) =>
        ask(options, 'approvals.answer', { id, answer, person: person(options), ...(options.note !== undefined && { note: options.note }) }),
      )
  }
  addToolCommands(root, console)
  for (const verb of ['block', 'unblock'] as const) {
    as(root.command(`${verb} [target]`).description(`${verb} an agent (tenant/agent), a tenant, or everything with --all`))
      .option('--all', 'everything')
      .action((target: string | undefined, options: Acting & { readonly all?: boolean }) => {
        if ((target === undefined) !== (options.all === true)) return fail(options, 'name a tenant or tenant/agent, or give --all', exitCodes.usage)
        const scope = target === undefined ? {} : target.includes('/') ? agentNamed(target) : { tenant: target }
        return ask(options, verb, { ...scope, person: person(options) }, (value) =>
          verb === 'block' && !fieldValue(value, 'isKnown')
            ? `blocked ${target ?? 'everything'}; nothing of this name is registered: is it right?`
            : `${verb}ed ${target ?? 'everything'}`,
        )
      })
  }

  addLogCommands(root, console, terminal)
  addBackupCommands(root, console, terminal)
  addSupportCommand(root, console)

  common(root.command('doctor').description('what is wrong with this installation, and what to do')).action(async (options: Common) =>
    run(options, async () => {
      const findings = await examine({
        configurationFile: resolve(options.config),
        folder: folderOf(options),
        nodeVersion: process.versions.node,
        nowMs: Date.now(),
        randomBytes,
      })
      const lines = findings.map(
        ({ check, state, advice }) => `${state === 'fail' ? 'FAIL' : state.padEnd(4)} ${check}${advice === undefined ? '' : `: ${advice}`}`,
      )
      print(options, { findings }, lines.join('\n'))
      if (findings.some(({ state }) => state === 'fail')) terminal.exit(exitCodes.error)
    }),
  )
}

function nextStep(name: string, token: string, expiresAtMs: number, enrolment: string): string {
  const expires = new Date(expiresAtMs).toISOString()
  return [
    `enrolment token of ${name}, shown once and good for one use until ${expires}; an earlier one is withdrawn:`,
    `  ${token}`,
    `on the agent's host, with the token on standard input:`,
    `  sallyport agent enroll --token - --gateway ${enrolment}`,
  ].join('\n')
}

function readAgentName(text: string): { tenant: string; agent: string } | undefined {
  const [, tenant, agent] = /^([a-z0-9][a-z0-9-]*)\/([a-z0-9][a-z0-9-]*)$/.exec(text) ?? []
  return tenant === undefined || agent === undefined ? undefined : { tenant, agent }
}

function tenantOf({ tenant }: { readonly tenant?: string }): { tenant?: string } {
  return tenant === undefined ? {} : { tenant }
}

function field(value: unknown, name: string): string {
  const found = fieldValue(value, name)
  return typeof found === 'string' || typeof found === 'number' ? String(found) : ''
}

function fieldValue(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined
}

/** Longest value read from standard input. */
const valueLengthMax = 16_384

async function readValue(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const piece of stdin) {
    text += String(piece)
    if (text.length > valueLengthMax) throw new Fault('the value on standard input is too long', 'not-done')
  }
  return text.replace(/\r?\n$/, '')
}
