import { createHmac, timingSafeEqual } from 'node:crypto'
import { access, open } from 'node:fs/promises'
import { Fault } from '@sallyport/contract'
import { fromBase64, hashBytes, tileWidth, toBase64, type PrunedPart } from '@sallyport/contract/log'
import { z } from 'zod'
import { dumpedRuns, type DumpedRuns } from '../audit/runs/run-state.ts'
import { stateSnapshot, type StateSnapshot } from '../policy/state-snapshot.ts'
import { dataFolder, deriveKey } from './data-folder.ts'
import { readPrivateFile, writePrivateFile } from './private-files.ts'

/** What stands in for the entries that were pruned: their hash, and what replaying them has come to. */
export interface PrunedLog extends PrunedPart {
  readonly state: StateSnapshot
  /** Permits whose outcome is not among the pruned entries: the request, by index. */
  readonly open: ReadonlyMap<number, string>
  readonly runs: DumpedRuns
}

/** As far as the size goes at most. */
const headBytes = 64

const kept = z.strictObject({
  v: z.literal(1),
  size: z.number().int().min(tileWidth).multipleOf(tileWidth),
  root: z.string().max(64),
  state: stateSnapshot,
  open: z.array(z.tuple([z.number().int().min(0), z.string()])),
  runs: dumpedRuns,
})

/**
 * Reads `log.pruned`; undefined when nothing was pruned.
 *
 * Quotas and approvals are taken from it, so it bears a mark with the gateway's own key, as the journal does. Of which log it is, its root says: compare that.
 *
 * @throws Fault `not-done` when the gateway of this sealing key did not write it
 */
export async function readPrunedLog(folder: string, sealingKey: Uint8Array): Promise<PrunedLog | undefined> {
  const path = dataFolder(folder).logPruned
  try {
    await access(path)
  } catch {
    return undefined
  }
  const [body = '', mark = ''] = (await readPrivateFile(path)).split('\n')
  const expected = markOf(sealingKey, body)
  const given = Buffer.from(mark, 'base64')
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Fault(
      'log.pruned was not written by this gateway: it does not bear its mark. Keep the folder as evidence, and restore it from a backup',
      'not-done',
    )
  const { size, root: rootText, state, open: permits, runs } = kept.parse(JSON.parse(body))
  const root = fromBase64(rootText)
  if (root?.length !== hashBytes) throw new TypeError('this gateway wrote a root that is none')
  return { size, root, state, open: new Map(permits), runs }
}

/** How many entries were pruned, for who needs no proof of it; 0 for none. */
export async function prunedSizeIn(folder: string): Promise<number> {
  try {
    const file = await open(dataFolder(folder).logPruned)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes)
      return Number(/^\{"v":1,"size":([0-9]{1,15}),/.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? 0)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw new Fault('log.pruned cannot be read', 'not-done', error)
  }
}

/** Durable when it resolves. @throws Fault */
export async function keepPrunedLog(folder: string, sealingKey: Uint8Array, { size, root, state, open: permits, runs }: PrunedLog): Promise<void> {
  const body = JSON.stringify({ v: 1, size, root: toBase64(root), state, open: [...permits], runs } satisfies z.input<typeof kept>)
  try {
    await writePrivateFile(folder, 'log.pruned', `${body}\n${markOf(sealingKey, body).toString('base64')}\n`)
  } catch (error) {
    throw new Fault('log.pruned cannot be written', 'unknown', error)
  }
}

function markOf(sealingKey: Uint8Array, body: string): Buffer {
  return createHmac('sha256', deriveKey(sealingKey, 'pruned-log')).update(body).digest()
}
