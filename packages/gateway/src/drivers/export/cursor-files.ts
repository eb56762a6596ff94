import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { z } from 'zod'
import { openPrivateFolder, readPrivateFile, writePrivateFile } from '../../control/private-files.ts'
import type { CursorStore } from '../../export/destination.ts'

const kept = z.strictObject({ v: z.literal(1), next: z.number().int().min(0), leaf: z.string().max(64) })

/** The cursor of an export, in a small file of its own. */
export function cursorFile(folder: string, name: string): CursorStore {
  const path = join(folder, `${name}.json`)
  return {
    read: async () => {
      try {
        await access(path)
      } catch {
        return undefined
      }
      const text = await readPrivateFile(path)
      try {
        const { next, leaf } = kept.parse(JSON.parse(text))
        return { next, leaf }
      } catch {
        return undefined
      }
    },
    keep: async ({ next, leaf }) => {
      try {
        await openPrivateFolder(folder)
        await writePrivateFile(folder, `${name}.json`, `${JSON.stringify({ v: 1, next, leaf })}\n`)
      } catch (error) {
        throw new Fault(`the cursor of the export ${name} cannot be written`, 'unknown', error)
      }
    },
  }
}
