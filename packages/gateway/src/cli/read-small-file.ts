import { open } from 'node:fs/promises'
import { Fault } from '@sallyport/contract'

/** Reads a file that somebody else may have made, or a device that never ends: not more than `bytesMax`. @throws Fault when it is larger */
export async function readSmallFile(path: string, bytesMax: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(bytesMax + 1)
    let length = 0
    for (let read = 1; read > 0 && length < buffer.length; length += read) read = (await file.read(buffer, length, buffer.length - length)).bytesRead
    if (length > bytesMax) throw new Fault(`${path} is larger than ${bytesMax} bytes`, 'not-done')
    return buffer.subarray(0, length)
  } finally {
    await file.close()
  }
}
