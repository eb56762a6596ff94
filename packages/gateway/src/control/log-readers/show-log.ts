import { Fault, type Configuration } from '@sallyport/contract'
import { equalBytes, parseCosignerKey, type CosignerKey } from '@sallyport/contract/log'
import { Cosigning } from '../../audit/cosigning.ts'
import type { LogView } from '../../audit/log-files.ts'
import { logKeyOf, nodeLogCrypto } from '../../audit/log-key.ts'
import { ServedLog } from '../../audit/served-log.ts'
import type { WitnessPort, WitnessStanding } from '../../audit/witness-port.ts'
import { addressOf, listening } from '../configuration/addresses.ts'
import { listenForReaders } from './listen-for-readers.ts'

export interface ShowLogTerms {
  readonly log: Configuration['log']
  readonly names: readonly string[]
  readonly view: LogView
  /** Entries that are not here any more; 0 for none. */
  readonly prunedSize: () => Promise<number>
  readonly logKey: string
  readonly witnessAt: (key: CosignerKey, url: string) => WitnessPort
  readonly keepCosigned: (note: string) => Promise<void>
  readonly now: () => number
  /** Of an answer to a reader. */
  readonly onRead: (status: number) => void
  /** A witness cosigns again, or does not any more. */
  readonly onWitness: (standing: WitnessStanding) => void
  readonly report: (event: string, error: unknown) => void
}

export interface ShownLog {
  /** Where the log can be read, if anywhere. */
  readonly address: string | undefined
  /** Absent where no witness is configured. */
  readonly witnessing: { readonly quorum: number; readonly cosignedSize: number; readonly witnesses: readonly WitnessStanding[] } | undefined
  /** Shows witnesses the last checkpoint; to be called when the log is closed. */
  close(): Promise<void>
}

/** Between the end of a round and the next look at the newest checkpoint. */
const roundPauseMs = 1_000

/** Lets others see the log: readers at an address, and witnesses, who are shown each checkpoint. @throws Fault when the address is taken */
export async function showLog(terms: ShowLogTerms): Promise<ShownLog> {
  const { log, view, report } = terms
  const key = logKeyOf(terms.logKey)
  const witnesses = (log?.witnesses ?? []).map(({ vkey, url }) => terms.witnessAt(cosignerOf(vkey), url))
  const own = witnesses.find((witness) => equalBytes(witness.key.publicKey, key.publicKey))
  if (own) throw new Fault(`the witness ${own.key.name} has the key of the log itself: it would vouch for nothing`, 'not-done')
  const quorum = log?.quorum ?? witnesses.length
  const cosigning = new Cosigning({ view, key, witnesses, quorum, keep: terms.keepCosigned, now: terms.now, onChange: terms.onWitness })
  const readers = await listening('log.listen', log?.listen ?? 'off', (address) =>
    listenForReaders(address, {
      log: new ServedLog(view, key, witnesses.length > 0, terms.prunedSize),
      names: terms.names,
      observe: terms.onRead,
      report: (fault) => report('log.read', fault),
    }),
  )
  const ending = new AbortController()
  const rounds = witnesses.length > 0 ? goRound(cosigning, ending.signal, (fault) => report('log.cosigning', fault)) : Promise.resolve()
  return {
    address: readers && `${addressOf(log?.listen ?? '').host}:${readers.port}`,
    get witnessing() {
      return witnesses.length > 0 ? { quorum, cosignedSize: cosigning.keptSize, witnesses: cosigning.standing } : undefined
    },
    close: async () => {
      ending.abort()
      readers?.close()
      await rounds
      await cosigning.round().catch((fault: unknown) => report('log.cosigning', fault))
      for (const witness of witnesses) witness.close()
    },
  }
}

async function goRound(cosigning: Cosigning, signal: AbortSignal, report: (fault: unknown) => void): Promise<void> {
  let isResumed = false
  while (!signal.aborted) {
    try {
      if (!isResumed) await cosigning.resume()
      isResumed = true
      await cosigning.round()
    } catch (fault) {
      report(fault)
    }
    await pause(roundPauseMs, signal)
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    timer.unref()
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}

function cosignerOf(vkey: string): CosignerKey {
  const key = parseCosignerKey(vkey, nodeLogCrypto.sha256)
  if (!key) throw new TypeError('the configuration lets only keys of cosigners through')
  return key
}
