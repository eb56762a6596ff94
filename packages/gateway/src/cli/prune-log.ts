import { randomBytes } from 'node:crypto'
import { durationMs, Fault } from '@sallyport/contract'
import { parseVerifierKey, tileWidth, type VerifierKey } from '@sallyport/contract/log'
import { archivePlace } from '../archive/archive-settings.ts'
import { provePruning } from '../archive/prove-pruning.ts'
import { entryTime } from '../audit/entries.ts'
import { nodeLogCrypto } from '../audit/log-key.ts'
import { rootAt } from '../audit/copy-log.ts'
import { RunState } from '../audit/runs/run-state.ts'
import { firstIndexAt, publishedSize } from '../audit/reader.ts'
import { openRoots } from '../control/authority/roots.ts'
import { runTerms } from '../control/configuration/run-terms.ts'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import { dataFolder } from '../control/data-folder.ts'
import { openPrivateFolder } from '../control/private-files.ts'
import { keepPrunedLog, readPrunedLog, type PrunedLog } from '../control/pruned-log.ts'
import { readKeyFile } from '../drivers/key-file/key-file.ts'
import { lockFolder } from '../drivers/posix-log/folder-lock.ts'
import { viewLogFolder } from '../drivers/posix-log/log-folder.ts'
import { removeBundles } from '../drivers/posix-log/remove-bundles.ts'
import { snapshotOf } from '../policy/state-snapshot.ts'
import { replayLog } from '../replay-log.ts'
import { askGateway } from './admin-client.ts'
import { openOwnArchive, viewOwnLog } from './open-archive.ts'
import { withLogOffline } from './open-log-offline.ts'
import { ownVerifierKey, verifyFolder } from './verify-log.ts'

export interface PruneTerms {
  readonly folder: string
  readonly configurationFile: string
  readonly compiled: CompiledConfiguration
  readonly keepMs: number
  readonly person: string
  readonly nowMs: number
  readonly onProgress: (entries: number, size: number) => void
}

export type Pruning =
  | { readonly kind: 'refused'; readonly reason: string }
  /** `prunedSize`: entries that are gone now, those that had gone before included. */
  | { readonly kind: 'pruned'; readonly prunedSize: number; readonly before: number; readonly size: number }

/**
 * Removes the entries that are older than `keepMs` here, whole bundles of them, once the archive has proved that it has each. Their hashes stay, and what replaying them came
 * to, so that a gateway starts as if they were there.
 *
 * The log says so first. An interruption leaves some of them here, which the next time are removed.
 *
 * @throws Fault
 */
export async function pruneLog(terms: PruneTerms): Promise<Pruning> {
  const { folder, compiled, keepMs, nowMs, onProgress } = terms
  const { archive: settings, configuration } = compiled
  if (!settings) return refused('there is no archive: the configuration names none under log.archive, so nothing can be removed here')
  const longest = configuration.quotas.find(({ window }) => durationMs(window) > keepMs)
  if (longest) return refused(`the quota ${longest.id} counts over ${longest.window}: keep entries for longer than that`)
  const places = dataFolder(folder)
  await openPrivateFolder(places.archive)
  using _ = alone(places.archive)
  const sealingKey = await readKeyFile(places.sealingKey)
  const before = await readPrunedLog(folder, sealingKey)
  const local = viewLogFolder(places.log)
  using whole = viewOwnLog(folder, terms.configurationFile)
  const published = await publishedSize(local)
  // The newest whole bundle stays: a gateway reads at its start what was written last.
  const most = Math.floor(Math.max(0, published - 1) / tileWidth) * tileWidth
  const size = Math.min(most, await firstIndexAt(whole, entryTime(nowMs - keepMs)))
  if (size <= (before?.size ?? 0)) {
    await removeBundles(places.log, before?.size ?? 0)
    return { kind: 'pruned', prunedSize: before?.size ?? 0, before: before?.size ?? 0, size: published }
  }

  const vkey = await ownVerifierKey(folder)
  const here = await verifyFolder(places.log, vkey, { pruned: before })
  if (here.kind === 'fault') return refused(`the log here does not verify: ${here.text}`)
  const archive = await openOwnArchive(folder, settings)
  try {
    const objection = await archive.objection()
    if (objection !== undefined) return refused(objection)
    const proof = await provePruning({ view: local, archive, key: keyOf(vkey), pruned: before, size, nowMs, onProgress })
    if (proof.kind === 'refused') return proof
  } finally {
    archive.close()
  }
  const runs = new RunState(runTerms(configuration.runtimes).recordsPerMinute)
  const { state, open } = await replayLog(local, before, compiled.policy, runs, size)
  const pruned: PrunedLog = { size, root: await rootAt(local, size), state: snapshotOf(state), open, runs: await runs.dump() }
  await noting(terms, { size, archive: archivePlace(settings) }, async () => {
    await keepPrunedLog(folder, sealingKey, pruned)
    await removeBundles(places.log, size)
  })
  return { kind: 'pruned', prunedSize: size, before: before?.size ?? 0, size: published }
}

/** Notes the act in the log, through the gateway if one runs, and does it. @throws Fault */
async function noting({ folder, person }: PruneTerms, subject: { readonly size: number; readonly archive: string }, act: () => Promise<void>): Promise<void> {
  const answer = await askGateway(dataFolder(folder).adminSocket, 'log.note-pruning', { person, ...subject })
  if (answer.kind === 'refused') throw new Fault(`the gateway does not note it: ${answer.problem.detail ?? answer.problem.title}`, 'not-done')
  if (answer.kind === 'done') return act()
  const { trustDomain } = await openRoots(dataFolder(folder).authority, randomBytes)
  await withLogOffline(folder, trustDomain, async ({ log, now }) => {
    await log.append({ v: 1, time: entryTime(now()), type: 'admin', act: 'log.pruned', person, subject })
    await act()
  })
}

/** Two at once could take away what the record of the other does not stand for. @throws Fault */
function alone(folder: string): Disposable {
  try {
    const lock = lockFolder(folder)
    return { [Symbol.dispose]: () => lock.release() }
  } catch (error) {
    throw new Fault('the log is being pruned by another command, or cannot be locked', 'not-done', error)
  }
}

function keyOf(vkey: string): VerifierKey {
  const key = parseVerifierKey(vkey, nodeLogCrypto.sha256)
  if (!key) throw new TypeError('the log has an Ed25519 key')
  return key
}

function refused(reason: string): Pruning {
  return { kind: 'refused', reason }
}
