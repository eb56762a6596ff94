import { Fault, unreachable } from '@sallyport/contract'
import type { MessagePort } from 'node:worker_threads'
import type { Ledger, Judged, PolicyRevision } from '../ledger.ts'
import type { RunRegister } from '../run-register.ts'
import type { ToolRegister } from '../tool-register.ts'
import { Batch, type FromLedger, type ToLedger } from './ledger-messages.ts'

/**
 * Lets the data-plane thread behind a port ask this ledger and the registers of tools and of runs beside it.
 *
 * @param policyOf the policy of a revision, as long as calls may be judged by it
 * @param lost called when that thread is gone and leaves permits whose outcome nobody will tell
 */
export function offerLedger(
  port: MessagePort,
  ledger: Ledger,
  { tools, runs }: { readonly tools: ToolRegister; readonly runs: RunRegister },
  policyOf: (revision: string) => PolicyRevision | undefined,
  lost: (permits: readonly number[]) => void,
): void {
  const open = new Set<number>()
  const inHand = new Set<Promise<void>>()
  const batch = new Batch<FromLedger>((messages) => port.postMessage(messages))
  const judge = async ({ id, revision, asked }: Extract<ToLedger, { kind: 'ask' }>): Promise<void> => {
    const policy = policyOf(revision)
    const judged: Judged = policy
      ? await ledger.judge(policy, asked)
      : { kind: 'deny', problem: { code: 'access.configuration-changed', retryAfterSeconds: 1 }, isUnwritten: true }
    if (judged.kind === 'list-first') return batch.add({ kind: 'list-first', id })
    if (judged.kind !== 'permit') return batch.add({ kind: 'refused', id, verdict: judged })
    const { permit, index } = judged
    open.add(index)
    batch.add({ kind: 'permitted', id, index, grounds: permit.grounds, approval: permit.approval })
  }
  const see = async ({ id, source, seen }: Extract<ToLedger, { kind: 'see' }>): Promise<void> => {
    try {
      batch.add({ kind: 'saw', id, offered: await tools.see(source, seen) })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      batch.add({ kind: 'not-seen', id, message: error.message })
    }
  }
  const hearRun = async ({ id, heard }: Extract<ToLedger, { kind: 'run' }>): Promise<void> =>
    batch.add({ kind: 'run-heard', id, answer: await runs.hear(heard) })
  const track = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.finally(() => inHand.delete(tracked))
    inHand.add(tracked)
  }
  const hear = (message: ToLedger): void => {
    switch (message.kind) {
      case 'ask':
        return track(judge(message))
      case 'conclude':
        open.delete(message.permit.index)
        return track(ledger.conclude(message.permit, message.facts, message.startedAt))
      case 'record':
        return track(ledger.record(message.entry))
      case 'run':
        return track(hearRun(message))
      case 'look':
        return batch.add({ kind: 'looked', id: message.id, ...tools.look(message.source) })
      case 'see':
        return track(see(message))
      case 'tools-may-have-changed':
        return tools.mayHaveChanged(message.owner)
      case 'tools-changed':
        return tools.announce(message.owner)
      case 'flush':
        void Promise.allSettled(inHand).then(() => batch.add({ kind: 'flushed', id: message.id }))
        return
      default:
        return unreachable(message)
    }
  }
  const endAnnouncing = tools.onAnnounce((owner) => batch.add({ kind: 'announced', owner }))
  port.on('close', endAnnouncing)
  port.on('message', (messages: readonly ToLedger[]) => messages.forEach(hear))
  port.on('close', () => void Promise.allSettled(inHand).then(() => open.size > 0 && lost([...open])))
}
