import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, readTicketClaims, type SessionGrantAnswer } from '@sallyport/contract'
import { z } from 'zod'
import { replaceDurably, syncFolder } from '../enrolment/durable-file.ts'
import { underLock } from '../enrolment/folder-lock.ts'

const stored = z.strictObject({
  version: z.literal(1),
  session: z.string().min(1).max(64),
  handle: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  ticket: z.string().max(4096),
  certificate: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  obtainedAtMs: z.int().min(0),
  ticketEndsAtMs: z.int().min(0),
  sessionEndsAt: z.iso.datetime({ precision: 3 }),
})

/** A session as an agent holds it. Handle and ticket are worthless without the agent's key, and yet nobody else's business. */
export interface HeldSession {
  readonly session: string
  /** Serves once. */
  readonly handle: string
  readonly ticket: string
  /** The thumbprint of the only certificate that the ticket counts under. */
  readonly certificate: string
  /** By the clock of this host, as is the ticket's end: its lifetime counts from when it was asked for, whatever time the gateway has. */
  readonly obtainedAtMs: number
  readonly ticketEndsAtMs: number
  /** Told by the gateway, for people. */
  readonly sessionEndsAt: string
}

/** Where a session lives between two runs, and which one process at a time replaces. */
export interface SessionStore {
  /** What is stored now, which another process may have replaced meanwhile. @throws Fault when it is damaged or open to others */
  load(): Promise<HeldSession | undefined>
  /** Replaces it in one step; durable when it resolves. Only under the lock. */
  keep(held: HeldSession): Promise<void>
  /** Durable when it resolves. Only under the lock. */
  remove(): Promise<void>
  /** Runs `act` while no other process does. `assertHeld` throws once the lock was held for too long. @throws Fault */
  underLock<Value>(act: (assertHeld: () => void) => Promise<Value>): Promise<Value>
}

/** The session beside the identity in `directory`. */
export function sessionInFolder(directory: string): SessionStore {
  const path = join(directory, 'session.json')
  return {
    load: () => readSession(path),
    keep: (held) => replaceDurably(path, `${JSON.stringify({ version: 1, ...held } satisfies z.infer<typeof stored>)}\n`),
    remove: async () => {
      await rm(path, { force: true })
      await syncFolder(directory)
    },
    underLock: (act) => underLock(directory, 'session', act),
  }
}

/**
 * A session out of an answer of the gateway.
 *
 * @throws Fault `unknown` when the ticket is none
 */
export function heldSession({ session, handle, ticket, sessionExpiresAt }: SessionGrantAnswer, askedAtMs: number): HeldSession {
  const claims = readTicketClaims(Buffer.from(ticket.split('.')[1] ?? '', 'base64url'))
  if (!claims) throw new Fault('the gateway answered with a ticket that is none', 'unknown')
  // Its times are whole seconds, so it may have been issued almost a second later than it says.
  const lifetimeMs = (claims.expiresAtSeconds - claims.issuedAtSeconds - 1) * 1000
  return {
    session,
    handle,
    ticket,
    certificate: claims.thumbprint,
    obtainedAtMs: askedAtMs,
    ticketEndsAtMs: askedAtMs + lifetimeMs,
    sessionEndsAt: sessionExpiresAt,
  }
}

async function readSession(path: string): Promise<HeldSession | undefined> {
  const text = await readPrivate(path)
  if (text === undefined) return undefined
  try {
    const { version: _, ...held } = stored.parse(JSON.parse(text))
    return held
  } catch (error) {
    throw new Fault(`${path} is damaged: delete it, and claim a session again`, 'not-done', error)
  }
}

async function readPrivate(path: string): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Fault(`${path} cannot be read`, 'not-done', error)
  })
  if (!file) return undefined
  try {
    const { mode } = await file.stat()
    if ((mode & 0o077) !== 0) throw new Fault(`${path} is open to others: delete it, and claim a session again`, 'not-done')
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
