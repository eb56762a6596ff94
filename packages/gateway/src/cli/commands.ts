import { randomBytes } from 'node:crypto'
import { access, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { configurationJsonSchema, defaultAddresses, isLogName, nameRule, parseTenantName, parseTrustDomain } from '@sallyport/contract'
import { InvalidArgumentError, type Command } from 'commander'
import { refuseOtherTrustDomain } from '../control/authority/roots.ts'
import { checkConfiguration } from '../control/configuration/configuration-file.ts'
import { formatFault } from '../control/configuration/configuration-fault.ts'
import { schemaFileName, writeStarterConfiguration } from '../control/configuration/write-starter-configuration.ts'
import { dataFolder } from '../control/data-folder.ts'
import { initialise, startGateway } from '../main.ts'
import { addBackupCommands } from './backup-commands.ts'
import { examine } from './doctor.ts'
import { addHuntCommand } from './hunt/hunt-command.ts'
import { addIdentityCommands } from './identity-commands.ts'
import { addLogCommands } from './log-commands.ts'
import { agentName, exitCodes, OperatorConsole, type Acting, type Common, type Terminal } from './operator-console.ts'
import { addProviderCommands } from './provider-commands.ts'
import { addSessionCommands } from './session-commands.ts'
import { addSecretCommands } from './secret-commands.ts'
import { shownJson } from './show.ts'
import { addSupportCommand } from './support/support-command.ts'
import { tellApprovals, tellReload, tellStatus } from './tell-answers.ts'
import { addToolCommands } from './tool-commands.ts'
import { findUnsetSecrets } from './unset-secrets.ts'

export { completableNames } from './completable-names.ts'
export type { Terminal } from './operator-console.ts'
export { outputUsageErrors } from './usage-errors.ts'

/** The operator's commands. */
export function addOperatorCommands({ root, agent }: { readonly root: Command; readonly agent: Command }, terminal: Terminal): void {
  const console = new OperatorConsole(terminal)
  const { common, as, shows, folderOf, person, print, warn, fail, run, ask, isFull } = console

  common(root.command('init').description('make the trust domain, its keys and a ready configuration; safe to repeat'))
    .option('--trust-domain <name>', 'the SPIFFE trust domain', trustDomainName, 'agents.internal')
    .option('--log-name <name>', 'of the log within the trust domain, one for each gateway of a cluster (default: sallyport)', logName)
    .action(async (options: Common & { readonly trustDomain: string; readonly logName?: string }) =>
      run(
        options,
        async () => {
          const { config, trustDomain, logName } = options
          const folder = folderOf(options)
          await initialise(folder, trustDomain, logName)
          const isThere = await access(config).then(
            () => true,
            () => false,
          )
          if (!isThere) await writeFile(config, writeStarterConfiguration({ trustDomain, ...defaultAddresses }), { flag: 'wx' })
          await writeFile(join(dirname(config), schemaFileName), `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`)
          const said = `${isThere ? 'kept' : 'wrote'} ${config}; the keys and the log are in ${folder}\nNow describe upstreams and rules in it, then start the gateway with "sallyport up".`
          print(options, { configuration: config, created: !isThere }, said)
        },
        exitCodes.configuration,
      ),
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
          `agents       https://${addresses.agents}\nenrolment    ${addresses.enrolment ?? 'off'}\noperations   ${addresses.operations ?? 'off'}\nlog readers  ${addresses.log === undefined ? 'off' : `http://${addresses.log}`}\nlog key      ${logKey}`,
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
        const folder = folderOf(options)
        const checked = await checkConfiguration(resolve(options.config))
        if (checked.kind === 'invalid') {
          const { faults } = checked
          if (options.json !== true) return fail(options, faults.map(formatFault).join('\n'), exitCodes.configuration)
          const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
          return fail(options, count, exitCodes.configuration, { code: 'control.configuration-invalid', faults })
        }
        const trustDomain = parseTrustDomain(checked.configuration.trustDomain)
        if (trustDomain) await refuseOtherTrustDomain(dataFolder(folder).authority, trustDomain)
        const warnings = [...checked.warnings, ...(await findUnsetSecrets(folder, checked.configuration, randomBytes))]
        warn(warnings)
        print(options, { revision: checked.revision, warnings }, `valid: revision ${checked.revision}`)
      },
      exitCodes.configuration,
    ),
  )
  shows(root.command('status').description('what the running gateway says of itself')).action((options: Common) => ask(options, 'status', {}, tellStatus))
  as(root.command('reload').description('activate the configuration file, or keep the running one if it is not valid')).action(
    (options: Acting, command: Command) =>
      ask(
        options,
        'reload',
        { person: person(options), ...(command.getOptionValueSource('config') === 'cli' && { file: resolve(options.config) }) },
        tellReload,
      ),
  )

  addIdentityCommands({ root, agent }, console)
  addSecretCommands(root, console, terminal)
  addSessionCommands(root, console, terminal)
  addProviderCommands(root, console, terminal)

  shows(root.command('approvals').description('the calls that wait for a person, with all that would be sent'))
    .option('--all', 'also those that are answered or used')
    .action((options: Common & { readonly all?: boolean }) =>
      ask(options, 'approvals', { all: options.all === true }, tellApprovals({ isFull: isFull(options) })),
    )
  for (const [verb, answer] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    as(root.command(`${verb} <approval>`).description(`${verb} one held call, once`))
      .option('-m, --note <text>', 'why')
      .action((id: string, options: Acting & { readonly note?: string }) =>
        ask(
          options,
          'approvals.answer',
          { id, answer, person: person(options), ...(options.note !== undefined && { note: options.note }) },
          () => `${answer} ${id}${answer === 'approved' ? ': the agent repeats the call' : ''}`,
        ),
      )
  }
  addToolCommands(root, console)
  for (const verb of ['block', 'unblock'] as const) {
    as(root.command(verb).description(`${verb} an agent, a tenant, or everything with --all`))
      .argument('[target]', 'TENANT/AGENT or TENANT', blockTarget)
      .option('--all', 'everything')
      .action((target: BlockTarget | undefined, options: Acting & { readonly all?: boolean }) => {
        if ((target === undefined) !== (options.all === true)) return fail(options, 'name a tenant or tenant/agent, or give --all', exitCodes.usage)
        const name = target === undefined ? 'everything' : Object.values(target).join('/')
        return ask(
          options,
          verb,
          { ...target, person: person(options) },
          (value) => `${verb}ed ${name}${isStranger(value) ? '; nothing of this name is registered: is it right?' : ''}`,
        )
      })
  }

  addLogCommands(root, console, terminal)
  addHuntCommand(root, console, terminal)
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

function logName(text: string): string {
  if (isLogName(text)) return text
  throw new InvalidArgumentError(`Write ${nameRule}.`)
}

function trustDomainName(text: string): string {
  if (parseTrustDomain(text)) return text
  throw new InvalidArgumentError('Write a DNS name in lower case.')
}

type BlockTarget = { readonly tenant: string; readonly agent?: string }

function blockTarget(text: string): BlockTarget {
  if (text.includes('/')) return agentName(text)
  if (parseTenantName(text)) return { tenant: text }
  throw new InvalidArgumentError(`Write TENANT/AGENT or TENANT: ${nameRule}.`)
}

/** Of a block: also what is not registered can be blocked, but a slip of the pen must show. */
function isStranger(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'isKnown' in value && value.isKnown === false
}
