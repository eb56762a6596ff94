import { createHash } from 'node:crypto'

const handleBytes = 32
const form = /^[A-Za-z0-9_-]{43}$/

export function newHandle(random: (length: number) => Uint8Array): string {
  return Buffer.from(random(handleBytes)).toString('base64url')
}

/** By which the store finds a handle; undefined for what cannot be one. */
export function digestOfHandle(handle: string): string | undefined {
  return form.test(handle) ? createHash('sha256').update(handle).digest('base64url') : undefined
}
