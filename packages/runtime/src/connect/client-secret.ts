import { createHash, timingSafeEqual } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@sallyport/contract'

/** What a program on this machine must show to act as the agent: 256 bits in base64url. */
export type ClientSecret = string

const secretFile = 'connect.secret'
const secretForm = /^[A-Za-z0-9_-]{43}$/

/**
 * Reads the bridge's secret beside the agent's identity, or makes it there on the first use, for the owner alone (0600). Of several bridges that start at once all
 * use the same.
 *
 * @throws Fault when the file is open to others, is no secret or cannot be written.
 */
export async function readOrCreateSecret(directory: string, randomBytes: (count: number) => Uint8Array): Promise<ClientSecret> {
  const path = join(directory, secretFile)
  const made = Buffer.from(randomBytes(32)).toString('base64url')
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
    await useFile(file, async () => {
      await file.writeFile(`${made}\n`)
      await file.sync()
    })
    return made
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return await readSecret(path)
    throw new Fault(`the client secret cannot be written to ${path}: make the folder writable for you`, 'not-done', error)
  }
}

async function readSecret(path: string): Promise<ClientSecret> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    throw new Fault(`the client secret in ${path} cannot be read`, 'not-done', error)
  })
  return await useFile(file, async () => {
    const { mode } = await file.stat()
    if ((mode & 0o077) !== 0) throw new Fault(`${path} is open to others: delete it, a new secret is made at the next start`, 'not-done')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128, 0)
    const secret = buffer.subarray(0, bytesRead).toString('latin1').trim()
    if (!secretForm.test(secret)) throw new Fault(`${path} holds no secret: delete it, a new one is made at the next start`, 'not-done')
    return secret
  })
}

/** Compares in constant time whatever the length of what was presented. */
export function isSecret(presented: string, secret: ClientSecret): boolean {
  return timingSafeEqual(digest(presented), digest(secret))
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}

async function useFile<Value>(file: FileHandle, use: () => Promise<Value>): Promise<Value> {
  try {
    return await use()
  } finally {
    await file.close()
  }
}
