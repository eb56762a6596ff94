import { access, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { userInfo } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { configurationJsonSchema, Fault, problems } from '@sallyport/contract'
import { parseVerifierKey, verifierKeyText } from '@sallyport/contract/log'
import type { Command } from 'commander'
import { findEvents, type EventFilter } from '../audit/find-events.ts'
import { nodeLogCrypto, verifierKeyOf } from '../audit/log-key.ts'
import { prove, verifyFolder } from '../audit/prove.ts'
import { followLog, readForward, readRecord, type LogRecord } from '../audit/reader.ts'
import { schemaFileName, writeStarterConfiguration } from '../control/configuration/write-starter-configuration.ts'
import { dataFolder, keptCheckpoint, readLogKey } from '../control/data-folder.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { initialise, loadConfiguration, startGateway } from '../main.ts'
import { askGateway } from './admin-client.ts'

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the user or the system asks the program to end. */
  readonly stop: AbortSignal
  readonly exit: (code: number) => void
}

/** @see docs/cli.md */
export const exitCodes = { ok: 0, error: 1, usage: 64, configuration: 78 } as const

/** Between two looks at a log that is followed. */
const followPauseMs = 250

interface Common {
  readonly config: string
  readonly data?: string
  readonly json?: boolean
}

/** The operator's commands. */
export function addOperatorCommands({ root, agent }: { readonly root: Command; readonly agent: Command }, terminal: Terminal): void {
  const common = (command: Command): Command =>
    command
      .option('-c, --config <file>', 'the configuration', terminal.env['SALLYPORT_CONFIG'] ?? 'sallyport.yaml')
      .option('--data <folder>', 'the data folder (default: .sallyport beside the configuration)')
      .option('--json', 'print JSON')
  const folderOf = ({ data, config }: Common): string => resolve(data ?? terminal.env['SALLYPORT_DATA'] ?? join(dirname(config), '.sallyport'))
  const print = ({ json }: Common, value: unknown, text?: string): void =>
    void terminal.stdout.write(`${json || text === undefined ? JSON.stringify(value, null, 2) : text}\n`)
  const fail = ({ json }: Common, message: string, code: number = exitCodes.error, problem?: object): void => {
    terminal.stderr.write(json ? `${JSON.stringify(problem ?? { error: message })}\n` : `sallyport: ${message}\n`)
    terminal.exit(code)
  }
  const warn = (warnings: readonly string[]): void => warnings.forEach((text) => void terminal.stderr.write(`sallyport: warning: ${text}\n`))
  /** Runs a command; a failed dependency becomes one clear line. */
  const run =
    <Args extends readonly unknown[]>(options: Common, work: (...args: Args) => Promise<void>, code: number = exitCodes.error) =>
    async (...args: Args): Promise<void> => {
      try {
        await work(...args)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        fail(options, error.message, code)
      }
    }
  const ask = async (options: Common, act: string, input: object, text?: (value: unknown) => string): Promise<void> => {
    const answer = await askGateway(dataFolder(folderOf(options)).adminSocket, act, input)
    switch (answer.kind) {
      case 'done':
        return print(options, answer.value, text?.(answer.value))
      case 'refused':
        return fail(options, `${answer.problem.detail ?? problems[answer.problem.code].title} (${answer.problem.code})`, exitCodes.error, answer.problem)
      case 'unreachable':
        return fail(options, 'no gateway answers for this folder: start it with "sallyport up", or name its folder with --data')
    }
  }
  const person = (given: string | undefined): string => given ?? terminal.env['SALLYPORT_PERSON'] ?? userInfo().username
  const as = (command: Command): Command => common(command).option('--as <person>', 'who acts (default: the user of this system)')
  type Acting = Common & { readonly as?: string }

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
            listen: '127.0.0.1:8443',
            enrolment: '127.0.0.1:8444',
            operations: '127.0.0.1:9464',
          })
          await writeFile(options.config, text, { flag: 'wx' })
        }
        await writeFile(join(dirname(options.config), schemaFileName), `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`)
        print(
          options,
          { configuration: options.config, created: !isThere },
          `${isThere ? 'kept' : 'wrote'} ${options.config}; start the gateway with "sallyport up"`,
        )
      })(),
    )

  common(root.command('up').description('run the gateway until it is asked to stop')).action(async (options: Common) =>
    run(
      options,
      async () => {
        const gateway = await startGateway({
          configurationFile: resolve(options.config),
          dataFolder: folderOf(options),
          report: (event, error) =>
            void terminal.stderr.write(
              `${JSON.stringify({ time: new Date().toISOString(), event, error: error instanceof Error ? error.message : String(error) })}\n`,
            ),
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
    )(),
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
    )(),
  )
  common(root.command('status').description('what the running gateway says of itself')).action((options: Common) => ask(options, 'status', {}))
  as(root.command('reload').description('activate the configuration file, or keep the running one if it is not valid')).action((options: Acting) =>
    ask(options, 'reload', { person: person(options.as) }),
  )

  as(agent.command('add <tenant/agent>').description('register an agent and print its one-time enrolment token')).action((name: string, options: Acting) =>
    ask(options, 'agent.add', { ...agentNamed(name), person: person(options.as) }, (value) => `enrolment token, shown once: ${field(value, 'token')}`),
  )
  common(agent.command('list').description('every agent and its standing')).action((options: Common) => ask(options, 'agent.list', {}))
  as(agent.command('revoke <tenant/agent>').description('refuse the agent from now on and cut its connections')).action((name: string, options: Acting) =>
    ask(options, 'agent.revoke', { ...agentNamed(name), person: person(options.as) }),
  )
  as(agent.command('reinstate <tenant/agent>').description('let a revoked agent enrol again')).action((name: string, options: Acting) =>
    ask(options, 'agent.reinstate', { ...agentNamed(name), person: person(options.as) }),
  )

  const ca = root.command('ca').description('the certificate authority')
  common(ca.command('list').description('the trusted roots')).action((options: Common) => ask(options, 'ca.list', {}))
  as(ca.command('rotate').description('sign with a new root from now on')).action((options: Acting) =>
    ask(options, 'ca.rotate', { person: person(options.as) }),
  )
  as(ca.command('retire <fingerprint>').description('end the trust in a root'))
    .option('--even-if-needed', 'also when certificates under it still count')
    .action((fingerprint: string, options: Acting & { readonly evenIfNeeded?: boolean }) =>
      ask(options, 'ca.retire', { fingerprint, person: person(options.as), evenIfNeeded: options.evenIfNeeded === true }),
    )
  as(ca.command('recover').description('start over after the loss or theft of a key: every agent enrols anew')).action((options: Acting) =>
    ask(options, 'ca.recover', { person: person(options.as) }),
  )

  const secret = root.command('secret').description('credentials for upstreams, sealed by sealing.key in the data folder')
  for (const verb of ['set', 'rotate'] as const) {
    as(secret.command(`${verb} <name>`).description(`${verb} a secret; its value is read from standard input`))
      .option('--tenant <tenant>', "this tenant's own value")
      .action(async (name: string, options: Acting & { readonly tenant?: string }) =>
        ask(options, `secret.${verb}`, { name, ...tenantOf(options), value: await readValue(terminal.stdin), person: person(options.as) }),
      )
  }
  common(secret.command('list').description('names and versions, never values')).action((options: Common) => ask(options, 'secret.list', {}))
  as(secret.command('remove <name>').description('forget a secret'))
    .option('--tenant <tenant>')
    .action((name: string, options: Acting & { readonly tenant?: string }) =>
      ask(options, 'secret.remove', { name, ...tenantOf(options), person: person(options.as) }),
    )

  common(root.command('approvals').description('the calls that wait for a person, with their arguments')).action((options: Common) =>
    ask(options, 'approvals', {}),
  )
  for (const [verb, answer] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    as(root.command(`${verb} <approval>`).description(`${verb} one held call, once`))
      .option('-m, --note <text>', 'why')
      .action((id: string, options: Acting & { readonly note?: string }) =>
        ask(options, 'approvals.answer', { id, answer, person: person(options.as), ...(options.note !== undefined && { note: options.note }) }),
      )
  }
  for (const verb of ['block', 'unblock'] as const) {
    as(root.command(`${verb} [target]`).description(`${verb} an agent (tenant/agent), a tenant, or everything with --all`))
      .option('--all', 'everything')
      .action((target: string | undefined, options: Acting & { readonly all?: boolean }) => {
        if ((target === undefined) !== (options.all === true)) return fail(options, 'name a tenant or tenant/agent, or give --all', exitCodes.usage)
        const scope = target === undefined ? {} : target.includes('/') ? agentNamed(target) : { tenant: target }
        return ask(options, verb, { ...scope, person: person(options.as) })
      })
  }

  const log = root.command('log').description('the tamper-evident log; works without a running gateway')
  const view = (options: Common): ReturnType<typeof viewLogFolder> => viewLogFolder(dataFolder(folderOf(options)).log)
  const verifierKey = async (options: Common & { readonly key?: string }): Promise<string> =>
    options.key ??
    verifierKeyText(
      verifierKeyOf(await readLogKey(folderOf(options)), `${(await loadConfiguration(resolve(options.config))).configuration.trustDomain}/sallyport`),
    )
  common(log.command('verify').description('rebuild everything from the entries and compare'))
    .option('--key <vkey>', 'the verifier key of the log (default: from this data folder)')
    .action(async (options: Common & { readonly key?: string }) =>
      run(options, async () => {
        const earlier = options.key === undefined ? await keptCheckpoint(folderOf(options)).read() : undefined
        const report = await verifyFolder(view(options), await verifierKey(options), {
          ...(earlier !== undefined && { earlier }),
          onProgress: (entries, size) => size > 50_000 && !options.json && void terminal.stderr.write(`\r${entries} of ${size} entries`),
        })
        if (report.kind === 'fault') return fail(options, report.text, exitCodes.error, report)
        print(options, report, `verified: ${report.size} entries, root ${report.root}`)
      })(),
    )
  common(log.command('show <index>').description('one entry')).action(async (index: string, options: Common) =>
    run(options, async () => {
      const record = await readRecord(view(options), Number(index))
      return record ? print(options, record) : fail(options, `the log has no entry ${index}`)
    })(),
  )
  common(log.command('prove <index>').description('a proof that the entry is in the log, in the tlog-proof format'))
    .option('--key <vkey>')
    .action(async (index: string, options: Common & { readonly key?: string }) =>
      run(options, async () => {
        const key = parseVerifierKey(await verifierKey(options), nodeLogCrypto.sha256)
        if (!key) return fail(options, 'the verifier key is not well-formed', exitCodes.usage)
        const proving = await prove(view(options), Number(index), key)
        return proving.kind === 'proved' ? print(options, { proof: proving.proof }, proving.proof) : fail(options, proving.reason)
      })(),
    )
  common(log.command('search').description('the newest entries that fit'))
    .option('--type <type>')
    .option('--tenant <tenant>')
    .option('--agent <agent>')
    .option('--upstream <upstream>')
    .option('--action <action>')
    .option('--code <code>')
    .option('--rule <rule>')
    .option('--limit <count>', 'at most so many', '50')
    .action(async ({ config, data, json, limit, ...filter }: Common & EventFilter & { readonly limit: string }) => {
      const options = { config, ...(data !== undefined && { data }), ...(json !== undefined && { json }) }
      await run(options, async () => print(options, await findEvents(view(options), filter, Number(limit))))()
    })
  common(log.command('tail').description('the newest entries, a line each'))
    .option('-n, --lines <count>', 'how many', '20')
    .option('-f, --follow', 'go on with new entries until interrupted')
    .action(async (options: Common & { readonly lines: string; readonly follow?: boolean }) =>
      run(options, async () => {
        const line = ({ index, event }: LogRecord): void => void terminal.stdout.write(`${JSON.stringify({ index, ...event })}\n`)
        const records = (await findEvents(view(options), {}, Number(options.lines))).reverse()
        records.forEach(line)
        if (!options.follow) return
        const pause = (signal: AbortSignal): Promise<void> => wait(followPauseMs, undefined, { signal }).catch(() => undefined)
        for await (const record of followLog(view(options), (records.at(-1)?.index ?? -1) + 1, pause, terminal.stop)) line(record)
      })(),
    )

  common(root.command('explain <event>').description('which rule decided, on which facts: by request id, approval or index')).action(
    async (event: string, options: Common) =>
      run(options, async () => {
        const text = event.replace(/^urn:uuid:/, '')
        const found = /^[0-9]{1,12}$/.test(text)
          ? [await readRecord(view(options), Number(text))].filter((record) => record !== undefined)
          : [...(await findEvents(view(options), { request: text }, 10)), ...(await findEvents(view(options), { approval: text }, 10))]
        return found.length > 0 ? print(options, found) : fail(options, `the log has no entry about ${text}`)
      })(),
  )

  common(root.command('doctor').description('what is wrong with this installation, and what to do')).action(async (options: Common) =>
    run(options, async () => {
      const checks: { readonly check: string; readonly ok: boolean; readonly advice?: string }[] = []
      const check = async (name: string, work: () => Promise<unknown>): Promise<void> => {
        try {
          await work()
          checks.push({ check: name, ok: true })
        } catch (error) {
          checks.push({ check: name, ok: false, advice: error instanceof Error ? error.message : 'unknown' })
        }
      }
      await check('configuration', () => loadConfiguration(resolve(options.config)))
      await check('log key', () => readLogKey(folderOf(options)))
      await check('sealing key', () => readFile(dataFolder(folderOf(options)).sealingKey))
      await check('log', async () => {
        for await (const record of readForward(view(options))) if (record.index > 1000) break
      })
      print(
        options,
        { checks },
        checks.map(({ check: name, ok, advice }) => `${ok ? 'ok  ' : 'FAIL'} ${name}${advice === undefined ? '' : `: ${advice}`}`).join('\n'),
      )
      if (checks.some(({ ok }) => !ok)) terminal.exit(exitCodes.error)
    })(),
  )
}

function agentNamed(text: string): { tenant: string; agent: string } {
  const [tenant = '', ...agent] = text.split('/')
  return { tenant, agent: agent.join('/') }
}

function tenantOf({ tenant }: { readonly tenant?: string }): { tenant?: string } {
  return tenant === undefined ? {} : { tenant }
}

function field(value: unknown, name: string): string {
  return typeof value === 'object' && value !== null && name in value ? String(Object.entries(value).find(([key]) => key === name)?.[1]) : ''
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
