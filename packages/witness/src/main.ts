import { cosignerKeyText } from '@sallyport/contract/log'
import { listenAsWitness } from './listen.ts'
import { openStore } from './store-folder.ts'
import { Witness } from './witness.ts'
import { readLogs, readWitness, witnessCrypto, witnessPlaces } from './witness-folder.ts'

export { makeWitness } from './witness-folder.ts'

export interface WitnessOptions {
  readonly folder: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly now: () => number
  /** Something went wrong, or a log was caught: for the operator's own log. */
  readonly report: (event: string, facts: Readonly<Record<string, string>>) => void
}

export interface RunningWitness {
  readonly address: string
  readonly vkey: string
  readonly logs: number
  stop(): Promise<void>
}

/** A fork that is submitted again and again is told of once in this time. */
const forkToldMs = 60_000

/** The composition root of a witness. @throws Fault when it cannot start; nothing then runs */
export async function startWitness({ folder, listen, now, report }: WitnessOptions): Promise<RunningWitness> {
  const { key, sign } = await readWitness(folder)
  const logs = await readLogs(folder)
  const store = await openStore(witnessPlaces(folder).state)
  const toldAt = new Map<string, number>()
  const onFork = (origin: string, submitted: string): void => {
    if (now() - (toldAt.get(origin) ?? Number.NEGATIVE_INFINITY) < forkToldMs) return
    toldAt.set(origin, now())
    report('log.forked', { origin, submitted })
  }
  try {
    const witness = new Witness({ key, sign, logs, store, crypto: witnessCrypto, now, onFork })
    const origins = [...new Set(logs.map(({ name }) => name))]
    const { port, close } = await listenAsWitness(listen, {
      witness,
      origins,
      report: (fault) => report('failed', { error: fault instanceof Error ? fault.message : String(fault) }),
    })
    return {
      address: `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
      vkey: cosignerKeyText(key),
      logs: origins.length,
      stop: async () => {
        await close()
        store.close()
      },
    }
  } catch (error) {
    store.close()
    throw error
  }
}
