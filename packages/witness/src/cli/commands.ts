import { resolve } from 'node:path'
import { commandError, describeSystemError, exitCodes, Fault } from '@sallyport/contract'
import { cosignerKeyText, isKeyName, openCosignatures, parseCheckpointBody, parseNote } from '@sallyport/contract/log'
import { InvalidArgumentError, type Command } from 'commander'
import { startWitness } from '../main.ts'
import { readNewest } from '../store-folder.ts'
import { makeWitness, readLogs, readWitness, witnessCrypto, witnessPlaces } from '../witness-folder.ts'

export interface WitnessTerminal {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => number
  /** Aborts when the user or the system asks the program to end. */
  readonly stop: AbortSignal
  readonly exit: (code: number) => void
}

interface Common {
  readonly data: string
  readonly json?: true
}

const defaultAddress = '127.0.0.1:8448'

/** `witness`: a program of its own, for another host than that of the logs. */
export function addWitnessCommands(root: Command, terminal: WitnessTerminal): void {
  const { stdout, stderr, env, now, stop, exit } = terminal
  const say = ({ json }: Common, value: object, text: string): void => void stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`)
  const run = async ({ json }: Common, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      const message = error instanceof Fault ? error.message : describeSystemError(error)
      if (message === undefined) throw error
      stderr.write(json ? `${JSON.stringify(commandError(exitCodes.configuration, message))}\n` : `sallyport: ${message}\n`)
      exit(exitCodes.configuration)
    }
  }
  const witness = root.command('witness').description('cosign the checkpoints of logs, so that none can show two histories; runs on a host of its own')
  const common = (command: Command): Command =>
    command.option('--data <folder>', 'the folder of the witness', env['SALLYPORT_WITNESS'] ?? '.sallyport-witness').option('--json', 'print JSON')

  common(witness.command('init').description('make a witness and its key, or add logs to one; safe to repeat'))
    .requiredOption('--name <name>', 'its name to the world, such as witness.example.com/w1', witnessName)
    .option('--log <vkey>', 'a log that it shall cosign; may be repeated', (vkey: string, before: readonly string[]) => [...before, vkey], [])
    .action((options: Common & { readonly name: string; readonly log: readonly string[] }) =>
      run(options, async () => {
        const folder = resolve(options.data)
        const vkey = cosignerKeyText((await makeWitness(folder, options.name, options.log)).key)
        const logs = [...new Set((await readLogs(folder)).map(({ name }) => name))]
        say(options, { folder, vkey, logs }, `${vkey}\nis the key of this witness, for those who verify. It cosigns ${logs.join(', ') || 'no log yet'}.`)
      }),
    )

  common(witness.command('up').description('run the witness until it is asked to stop'))
    .option('--listen <address>', 'where logs and monitors reach it', address, address(defaultAddress))
    .action((options: Common & { readonly listen: ReturnType<typeof address> }) =>
      run(options, async () => {
        const running = await startWitness({
          folder: resolve(options.data),
          listen: options.listen,
          now,
          report: (event, facts) => void stderr.write(`${JSON.stringify({ time: new Date(now()).toISOString(), event, ...facts })}\n`),
        })
        say(
          options,
          { address: running.address, vkey: running.vkey, logs: running.logs },
          `witness  http://${running.address}\nkey      ${running.vkey}\nlogs     ${running.logs}`,
        )
        if (!stop.aborted) await new Promise((done) => stop.addEventListener('abort', done, { once: true }))
        await running.stop()
      }),
    )

  common(witness.command('status').description('what it has cosigned, whether it runs or not')).action((options: Common) =>
    run(options, async () => {
      const folder = resolve(options.data)
      const { key } = await readWitness(folder)
      const origins = [...new Set((await readLogs(folder)).map(({ name }) => name))]
      const logs = await Promise.all(origins.map(async (origin) => ({ origin, ...newest(await readNewest(witnessPlaces(folder).state, origin), key) })))
      const lines = logs.map(({ origin, size, time }) => `${origin}  ${time === undefined ? 'nothing cosigned yet' : `${size} entries at ${time}`}`)
      say(options, { vkey: cosignerKeyText(key), logs }, [cosignerKeyText(key), ...lines].join('\n'))
    }),
  )
}

function newest(text: string | undefined, key: Parameters<typeof cosignerKeyText>[0]): { readonly size?: number; readonly time?: string } {
  const note = text === undefined ? undefined : parseNote(text)
  if (!note) return {}
  const opened = openCosignatures(note, [key], witnessCrypto)
  const [own] = opened.kind === 'opened' ? opened.cosignatures : []
  const checkpoint = parseCheckpointBody(note.body)
  if (!own || !checkpoint) throw new Fault('what is remembered was not cosigned by this witness: it is damaged, or of another key', 'not-done')
  return { size: checkpoint.size, time: new Date(own.time * 1000).toISOString() }
}

function witnessName(text: string): string {
  if (isKeyName(text)) return text
  throw new InvalidArgumentError('Write one such as witness.example.com/w1, without spaces and plus signs.')
}

function address(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(\[[0-9a-f:]+\]|[a-zA-Z0-9.-]+):([0-9]{1,5})$/.exec(text) ?? []
  if (host === '' || Number(port) > 65_535) throw new InvalidArgumentError(`Write HOST:PORT, such as ${defaultAddress}.`)
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}
