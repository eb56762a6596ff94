/** The ledger thread's composition root. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { Fault } from '@sallyport/contract'
import { runTerms } from '../control/configuration/run-terms.ts'
import type { PolicyRevision } from '../ledger.ts'
import { callsOver, serveCalls } from './calls.ts'
import { compileText } from './compile-text.ts'
import { offerLedger } from './offer-ledger.ts'
import { openLedger } from './open-ledger.ts'
import type { LedgerApi, LedgerNews, LedgerStart, ThreadNews } from './plane-ports.ts'

const start = workerData as LedgerStart // what `gateway-threads.ts` gave
const tell = (news: ThreadNews): void => parentPort?.postMessage(news)
try {
  await run()
} catch (error) {
  if (!(error instanceof Error)) throw error
  tell({ kind: 'not-up', message: error.message, outcome: error instanceof Fault ? error.outcome : 'unknown' })
}

async function run(): Promise<void> {
  const main = callsOver<LedgerNews>(start.main, ['report', 'seeRun'])
  const report = (event: string, error: unknown): void => void main.report(event, error instanceof Error ? error.message : String(error)).catch(() => undefined)
  const policies = new Map<string, PolicyRevision>()
  const first = await compileText(start.configuration)
  policies.set(first.revision, first)
  const { dataFolder, version } = start
  const opened = await openLedger({
    dataFolder,
    policy: first,
    runs: runTerms(first.configuration.runtimes),
    report,
    seeRun: (sight) => void main.seeRun(sight).catch(() => undefined),
    onUnfit: () => tell({ kind: 'unfit' }),
  })
  const { ledger, state, tools, runs, log, now } = opened
  parentPort?.on('message', (port: MessagePort) =>
    offerLedger(
      port,
      ledger,
      { tools, runs },
      (revision) => policies.get(revision),
      (permits) =>
        void ledger
          .giveUp(permits, { act: 'thread-replaced', version, revision: [...policies.keys()].at(-1) ?? '' })
          .catch((error: unknown) => report('thread-replaced', error)),
    ),
  )
  serveCalls<LedgerApi>(
    start.control,
    {
      begin: (act, held) => ledger.begin(act, new Set(held)),
      note: (act) => ledger.note(act),
      answerApproval: (approval, answer, person, note) => ledger.answerApproval(approval, answer, person, note),
      approvals: () => state.approvals.list(now()),
      refuse: (seen) => ledger.refuse(seen),
      tools: (upstream) => tools.all(upstream),
      acceptTool: (owner, tool, digest, person) => tools.accept(owner, tool, digest, person),
      toolsMayHaveChanged: (owner, isAnnounced) => (isAnnounced ? tools.announce(owner) : tools.mayHaveChanged(owner)),
      size: () => log.size,
      prepare: async (configuration) => {
        const { revision, policy } = await compileText(configuration)
        policies.set(revision, { revision, policy })
      },
      retire: (revision) => void policies.delete(revision),
      finish: () => opened.finish(),
      close: () => opened.close(),
    },
    (error) => report('thread.failed', error),
  )
  tell({ kind: 'up', logKey: opened.logKey })
}
