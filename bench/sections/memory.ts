import { setTimeout as wait } from 'node:timers/promises'
import type { Candidate } from '../candidates/candidate.ts'
import { residentBytes } from '../processes.ts'
import type { Scene } from '../scene.ts'
import { formatTable } from '../table.ts'
import type { Findings, Terms } from './section.ts'

const connections = 500
/** Within this a heap has settled after work. */
const settlingMs = 1500

interface Memory {
  readonly name: string
  readonly restingBytes: number
  readonly bytesPerConnection: number
}

/** Resident memory of an idle connection that has carried one request. Taken once: memory that was freed is not given back, so a second round would find less. */
export async function measureMemory(scene: Scene, { say }: Terms): Promise<Findings> {
  const found: Memory[] = []
  for (const candidate of scene.candidates.filter(({ prefix }) => prefix !== '/http/keyed')) {
    say(`${connections} idle connections: ${candidate.name}`)
    found.push(await weigh(scene, candidate))
  }
  const rows = found.map(({ name, restingBytes, bytesPerConnection }) => [name, (restingBytes / 1_048_576).toFixed(0), (bytesPerConnection / 1024).toFixed(0)])
  return {
    text: `${connections} idle connections with mutual TLS, resident memory\n\n${formatTable(['candidate', 'MiB without them', 'KiB for each'], rows)}`,
    numbers: { connections, found },
  }
}

async function weigh({ load }: Scene, { name, origin, tls, prefix, processes }: Candidate): Promise<Memory> {
  const target = { origin, tls }
  const request = { method: 'GET', path: `${prefix}/blobs/1024`, answerBytes: 1024 } as const
  // First some work, so that what a process needs only once is there.
  await load.order({ act: 'open', target, connections: 32 })
  await load.order({ act: 'press', request, inFlight: 32, seconds: 1 })
  await load.order({ act: 'close' })
  await wait(settlingMs)
  const restingBytes = residentBytes(processes)
  await load.order({ act: 'hold', target, request, connections })
  await wait(settlingMs)
  const bytesPerConnection = (residentBytes(processes) - restingBytes) / connections
  await load.order({ act: 'close' })
  return { name, restingBytes, bytesPerConnection }
}
