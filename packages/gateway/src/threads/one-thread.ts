import type { Hosts, HostsTerms } from './hosts.ts'
import { runTerms } from '../control/configuration/run-terms.ts'
import { openDataPlane } from './data-plane.ts'
import { localToolSight } from './local-tool-sight.ts'
import { openLedger } from './open-ledger.ts'
import { localClientLogins, localSessions } from './own-sessions.ts'

/** Everything on this thread: no hop to the ledger. For small installations. @throws Fault */
export async function openOnOneThread(terms: HostsTerms): Promise<Hosts> {
  const { compiled, dataFolder, version, report } = terms
  const opened = await openLedger({ ...terms, policy: compiled, runs: runTerms(compiled.configuration.runtimes) })
  const { ledger, state, tools, runs, log } = opened
  return {
    ledger: {
      logKey: opened.logKey,
      get isAvailable() {
        return ledger.isFit
      },
      begin: (act) => ledger.begin(act),
      note: (act) => ledger.note(act),
      answerApproval: (...answer) => ledger.answerApproval(...answer),
      refuse: (seen) => ledger.refuse(seen),
      approvals: async () => state.approvals.list(opened.now()),
      tools: async (upstream) => tools.all(upstream),
      acceptTool: (...accepted) => tools.accept(...accepted),
      toolsMayHaveChanged: (owner, isAnnounced) => (isAnnounced ? tools.announce(owner) : tools.mayHaveChanged(owner)),
      size: async () => log.size,
      finish: () => opened.finish(),
      close: () => opened.close(),
    },
    openPlanes: async (planes) => {
      const plane = await openDataPlane({
        ...planes,
        sessions: localSessions(planes.sessions, planes.roster, planes.now),
        clientLogins: localClientLogins(planes.clientLogins, planes.roster, planes.now),
        dataFolder,
        version,
        ledger,
        tools: localToolSight(tools),
        runs,
        threads: 0,
        report,
        cancelElsewhere: () => undefined,
      })
      return {
        address: plane.address,
        prepare: async () => undefined,
        activate: async (next) => plane.activate(next),
        changeRoster: ({ kind }) => {
          if (kind !== 'current') plane.cutRefused()
        },
        changeTickets: async () => undefined, // there is one trust, and it has changed
        inForce: async () => undefined,
        replaceTls: (tls) => plane.replaceTls(tls),
        series: async () => plane.metrics.series(),
        drain: () => plane.drain(),
        close: () => plane.close(),
      }
    },
  }
}
