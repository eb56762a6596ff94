import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import type { CompiledConfiguration } from '../control/configuration/compile-configuration.ts'
import { openOwnArchive } from './open-archive.ts'

/** How far the archive may be behind, which by its interval is at most a day. */
const archiveLagMsMax = 25 * 3_600_000

/** Asks the archive of the configuration. @throws Fault when it cannot keep anything safe */
export async function tryArchive(folder: string, { archive: settings }: CompiledConfiguration): Promise<undefined> {
  if (!settings) return
  const archive = await openOwnArchive(folder, settings)
  try {
    const objection = await archive.objection()
    if (objection !== undefined) throw new Fault(objection, 'not-done')
  } finally {
    archive.close()
  }
}

const archived = z.object({
  log: z.object({
    archive: z.object({ lagEntries: z.number(), lagMs: z.number(), failure: z.string().optional(), conflict: z.string().optional() }).optional(),
  }),
})

/** How far the running gateway has come with it. */
export function objectionsToArchive(status: object): readonly string[] {
  const read = archived.safeParse(status)
  const archive = read.success ? read.data.log.archive : undefined
  if (!archive || (archive.failure === undefined && archive.lagMs < archiveLagMsMax)) return []
  const why = archive.failure === undefined ? '' : `: ${archive.failure}`
  return [`the archive is ${archive.lagEntries} entries and ${Math.round(archive.lagMs / 1000)} s behind${why}`]
}
