import { underLock } from '../enrolment/folder-lock.ts'
import type { Client } from './client.ts'
import { planChange, type Change, type Entries, type Written } from './plan-change.ts'
import { readConfiguration, replaceConfiguration, type FileRead } from './replace-file.ts'
import { readWritten, recordWritten, writtenIn } from './written-record.ts'

/** A change that was planned and can be shown. */
export interface Planned {
  readonly read: FileRead
  readonly before: Written
  readonly change: Change
}

/** Plans how the configuration comes to hold the wanted servers of this identity, and no others of it. @throws Fault */
export async function planFor(directory: string, { name, format }: Client, file: string, wanted: Entries): Promise<Planned> {
  const read = await readConfiguration(file)
  const before = writtenIn(await readWritten(directory), name, read.path)
  return { read, before, change: planChange(format, read.text, before, wanted) }
}

/**
 * Carries out a planned change. What we wrote is on record before it stands in the file, so that a crash between the two leaves nothing that cannot be undone.
 *
 * @throws Fault `not-done` when the file was changed since it was planned, or cannot be written.
 */
export async function applyPlanned(directory: string, { name }: Client, { read, before, change }: Planned, backup: string): Promise<void> {
  if (change.kind === 'refused') throw new TypeError('a refused change is not applied')
  const { path } = read
  await underLock(directory, 'clients', async () => {
    if (change.kind === 'changed') {
      await recordWritten(directory, { client: name, file: path, written: both(before, change.written) })
      await replaceConfiguration(read, change.text, backup)
    }
    await recordWritten(directory, { client: name, file: path, written: change.written })
  })
}

function both(before: Written, after: Written): Written {
  const names = [...new Set([...after.entries.keys(), ...before.entries.keys()])]
  const entries = new Map(names.map((name) => [name, [...(after.entries.get(name) ?? []), ...(before.entries.get(name) ?? [])].slice(0, 4)]))
  return { ...(after.entries.size === 0 ? before : after), entries }
}
