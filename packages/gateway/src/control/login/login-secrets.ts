import { createHash, timingSafeEqual } from 'node:crypto'

/** Of the digest of a link: enough to tell the logins of one browser apart. */
const cookieCharacters = 16

/** The name of a login's own cookie, so that several go on in one browser. `link`: as `callback` gives it. */
export function cookieOf(link: string): string {
  return link.slice(0, cookieCharacters)
}

/** As `cookieOf`, of the link itself. */
export function cookieOfLink(link: string): string {
  return cookieOf(digestOf(link))
}

/** By which what a login gives out is kept. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

export function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
