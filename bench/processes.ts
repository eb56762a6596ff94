import { readdirSync, readFileSync } from 'node:fs'

const tickMicroseconds = 10_000

/** User and system time so far of the processes and all that they have started, in microseconds; the kernel counts in steps of 10 ms. */
export function cpuMicroseconds(pids: readonly number[]): number {
  return treeOf(pids).reduce((sum, pid) => sum + ticksOf(`/proc/${pid}`), 0) * tickMicroseconds
}

/** Resident memory of the same, in bytes. Pages that they share count for each. */
export function residentBytes(pids: readonly number[]): number {
  return treeOf(pids).reduce((sum, pid) => sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0), 0) * 1024
}

/** The same as `cpuMicroseconds`, of each thread of one process. */
export function cpuOfThreads(pid: number): ReadonlyMap<string, { readonly name: string; readonly microseconds: number }> {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const folder = `/proc/${pid}/task/${thread}`
    const name = Number(thread) === pid ? 'main' : read(`${folder}/comm`).trim()
    return [thread, { name, microseconds: ticksOf(folder) * tickMicroseconds }] as const
  })
  return new Map(threads)
}

function treeOf(roots: readonly number[]): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(fieldsOf(`/proc/${name}`)[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = [...roots]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

function ticksOf(folder: string): number {
  const fields = fieldsOf(folder)
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** What follows the command in `stat`, which may hold blanks itself. @see proc(5) */
function fieldsOf(folder: string): readonly string[] {
  return read(`${folder}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
