import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '@sallyport/contract'
import { parsePayloadFileName, payloadFileName, type LeftPayload, type PayloadFiles, type StoredPayload } from '../../control/payloads/payload-files.ts'
import { syncFolder } from '../../control/private-files.ts'

const unfinished = '.unfinished'

/** A file for each payload, its key in front and the ciphertext behind it, so that one write makes both durable and one overwrite destroys both. */
export function payloadFilesIn(folder: string): PayloadFiles {
  let isMade = false
  const make = async (): Promise<void> => {
    if (isMade) return
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await syncFolder(dirname(folder))
    isMade = true
  }
  const pathOf = (payload: StoredPayload): string => join(folder, payloadFileName(payload))
  return {
    list: () =>
      attempt('not-done', `the folder of payloads, ${folder}, cannot be read`, async () => {
        const stored: StoredPayload[] = []
        for (const name of (await ifThere(readdir(folder))) ?? []) {
          const payload = parsePayloadFileName(name)
          if (payload) stored.push(payload)
          else if (name.endsWith(unfinished)) await overwriteAndRemove(join(folder, name))
        }
        return stored
      }),
    write: (payload, bytes) =>
      attempt('unknown', 'the payload cannot be written', async () => {
        await make()
        const path = pathOf(payload)
        const file = await open(`${path}${unfinished}`, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
        try {
          await file.writeFile(bytes)
          await file.datasync()
        } finally {
          await file.close()
        }
        await rename(`${path}${unfinished}`, path)
        await syncFolder(folder)
      }),
    read: (payload) => attempt('not-done', 'the payload cannot be read', () => ifThere(readFile(pathOf(payload)))),
    destroy: (payloads) =>
      attempt('unknown', 'payloads cannot be destroyed', async () => {
        const left: LeftPayload[] = []
        for (const payload of payloads) {
          try {
            await overwriteAndRemove(pathOf(payload))
            await overwriteAndRemove(`${pathOf(payload)}${unfinished}`)
          } catch (error) {
            left.push({ payload, reason: messageOf(error) })
          }
        }
        await ifThere(syncFolder(folder))
        return left
      }),
  }
}

/** A removed file leaves its bytes on the disk until something else takes their place. */
async function overwriteAndRemove(path: string): Promise<void> {
  const file = await ifThere(open(path, constants.O_WRONLY | constants.O_NOFOLLOW))
  if (!file) return
  try {
    const { size } = await file.stat()
    const { bytesWritten } = await file.write(Buffer.alloc(size), 0, size, 0)
    if (bytesWritten !== size) throw new Error(`only ${bytesWritten} of ${size} bytes were overwritten`)
    await file.datasync()
  } finally {
    await file.close()
  }
  await ifThere(rm(path))
}

async function ifThere<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function attempt<Value>(outcome: Fault['outcome'], message: string, act: () => Promise<Value>): Promise<Value> {
  try {
    return await act()
  } catch (error) {
    throw new Fault(`${message}: ${messageOf(error)}`, outcome, error)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
