import { createSecretKey, randomBytes } from 'node:crypto'
import { clockAfter } from '../audit/clock-after.ts'
import { ed25519Signer, logKeyText } from '../audit/log-key.ts'
import type { Log } from '../audit/log.ts'
import { readForward } from '../audit/reader.ts'
import { RunState } from '../audit/runs/run-state.ts'
import { openLog } from '../audit/sequencer.ts'
import { dataFolder, deriveKey, keptCheckpoint, readLogKey } from '../control/data-folder.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { openLogFolder, viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { openDatabase } from '../drivers/sqlite/database.ts'
import { SqliteHeldCalls } from '../drivers/sqlite/held-calls.ts'
import { SqliteToolDefinitions } from '../drivers/sqlite/tool-definitions.ts'
import { Ledger, type PolicyRevision } from '../ledger.ts'
import { PolicyState, replay } from '../policy/state.ts'
import { RunRegister, type RunSight, type RunTerms } from '../run-register.ts'
import { ToolRegister } from '../tool-register.ts'

/** How often counts of refusals whose time is over are written. */
const countsEveryMs = 10_000
/** How often runs are looked at that may have gone silent; more often where they must be heard more often. */
const sweepEveryMsMax = 1_000
/** For decisions and exchanges that a drained edge has cut off to get their entries. */
const finishDeadlineMs = 5_000

export interface LedgerTerms {
  readonly dataFolder: string
  readonly policy: PolicyRevision
  readonly runs: RunTerms & { readonly recordsPerMinute: number }
  readonly seeRun: (sight: RunSight) => void
  readonly report: (event: string, error: unknown) => void
  /** The ledger has become unfit. */
  readonly onUnfit?: () => void
}

export interface OpenLedger {
  readonly ledger: Ledger
  readonly state: PolicyState
  readonly tools: ToolRegister
  readonly runs: RunRegister
  readonly log: Log
  readonly logKey: string
  readonly now: () => number
  /** Waits, not without end, until everything under way has its entry. */
  finish(): Promise<void>
  close(): Promise<void>
}

/** Opens the log, replays it into the state that decisions see, and puts a ledger over both. @throws Fault */
export async function openLedger(terms: LedgerTerms): Promise<OpenLedger> {
  const { dataFolder: folder, policy, report } = terms
  const places = dataFolder(folder)
  const sealingKey = await readKeyFile(places.sealingKey)
  const signer = ed25519Signer(await readLogKey(folder), createSecretKey(deriveKey(sealingKey, 'journal')))
  const { log, recovered } = await openLog(await openLogFolder(places.log), signer, {
    kept: keptCheckpoint(folder),
    onUnavailable: (fault) => {
      report('log.unavailable', fault)
      terms.onUnfit?.()
    },
  })
  try {
    const now = clockAfter(recovered.lastTime)
    const runState = new RunState(terms.runs.recordsPerMinute)
    const { state, open } = await replayLog(places.log, policy, runState)
    const database = openDatabase(places.database)
    const ledger = new Ledger(
      {
        log,
        state,
        heldCalls: new SqliteHeldCalls(database, sealingKey, randomBytes, now),
        digestKey: createSecretKey(deriveKey(sealingKey, 'call-digest')),
        now,
        newApprovalId: () => randomBytes(8).toString('hex'),
        lost: (fault) => {
          report('entry.lost', fault)
          if (!ledger.isFit) terms.onUnfit?.()
        },
      },
      open,
    )
    const tools = new ToolRegister((change) => ledger.enter(change), state.tools, new SqliteToolDefinitions(database, sealingKey, randomBytes))
    const runs = new RunRegister(runState, terms.runs, { enter: (change) => ledger.enter(change), now, see: terms.seeRun })
    const sweeping = setInterval(() => runs.sweep(), Math.min(terms.runs.heartbeatMs, sweepEveryMsMax)).unref()
    const counting = setInterval(() => ledger.writeCounts(), countsEveryMs).unref()
    return {
      ledger,
      state,
      tools,
      runs,
      log,
      logKey: logKeyText(signer),
      now,
      finish: async () => {
        clearInterval(sweeping)
        const { promise: late, resolve } = Promise.withResolvers<void>()
        const timer = setTimeout(resolve, finishDeadlineMs)
        await Promise.race([ledger.finish(), late])
        clearTimeout(timer)
      },
      close: async () => {
        clearInterval(counting)
        clearInterval(sweeping)
        database.close()
        await log.close()
      },
    }
  } catch (error) {
    await log.close()
    throw error
  }
}

async function replayLog(folder: string, { policy }: PolicyRevision, runs: RunState): Promise<{ state: PolicyState; open: Map<number, string> }> {
  const state = new PolicyState()
  const open = new Map<number, string>()
  for await (const { index, event } of readForward(viewLogFolder(folder))) {
    replay(state, event, policy)
    if (event.type === 'record' || event.type === 'runtime') runs.apply(event, Promise.resolve(index))
    if (event.type === 'decision' && event.decision === 'permit') open.set(index, event.request)
    if (event.type === 'outcome') open.delete(event.decision)
    if (event.type !== 'gateway') continue
    if (event.act === 'started') open.clear()
    for (const unanswered of event.unanswered ?? []) open.delete(unanswered)
  }
  return { state, open }
}
