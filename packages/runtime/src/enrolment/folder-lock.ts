import { randomInt, randomUUID } from 'node:crypto'
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '@sallyport/contract'

export const lockLimits = {
  /** How long one holder may take; a holder that died is forgotten after it. */
  holdMsMax: 60_000,
  waitMsMax: 30_000,
  pauseMsMin: 20,
  pauseMsMax: 200,
} as const

/** One process that holds a lock, or asks for it: the name of its file says who, and until when. */
interface Claim {
  readonly file: string
  readonly untilMs: number
  readonly pid: string
}

export interface LockTimes {
  readonly now: () => number
  readonly waitMsMax: number
}

/**
 * Runs `act` while no other process (and no other call in this one) acts under the same lock of this folder.
 *
 * Each claims with a file of its own, then looks whether another claim is alive: of two that come at once, the later certainly sees the earlier one. Since no name is
 * ever used twice, what was left by a dead process can be cleared by anyone without taking it from a living one. `assertHeld` throws once `holdMsMax` is over; call it
 * before an act that must not overlap with the next holder's.
 *
 * @throws Fault `not-done` when another holds the lock for longer than `waitMsMax`; `unknown` from `assertHeld`.
 */
export async function underLock<Value>(
  directory: string,
  lock: string,
  act: (assertHeld: () => void) => Promise<Value>,
  { now, waitMsMax }: LockTimes = { now: Date.now, waitMsMax: lockLimits.waitMsMax },
): Promise<Value> {
  const giveUpMs = now() + waitMsMax
  for (;;) {
    const claim = await makeClaim(directory, lock, now() + lockLimits.holdMsMax)
    try {
      const [other] = await livingClaims(directory, lock, now(), claim)
      if (!other) {
        return await act(() => {
          if (now() >= claim.untilMs) throw new Fault(`the lock "${lock}" of ${directory} was held for too long; try again`, 'unknown')
        })
      }
      if (now() >= giveUpMs) {
        throw new Fault(`process ${other.pid} is at the same in ${directory}: try again after ${new Date(other.untilMs).toISOString()}`, 'not-done')
      }
    } finally {
      await rm(join(directory, claim.file), { force: true })
    }
    await pause(randomInt(lockLimits.pauseMsMin, lockLimits.pauseMsMax))
  }
}

async function makeClaim(directory: string, lock: string, untilMs: number): Promise<Claim> {
  const claim = { file: `.${lock}.${untilMs}.${process.pid}.${randomUUID()}.lock`, untilMs, pid: String(process.pid) }
  const file = await open(join(directory, claim.file), 'wx', 0o600).catch((error: unknown) => {
    throw new Fault(`${directory} cannot be written to: make it writable for you`, 'not-done', error)
  })
  await file.close()
  return claim
}

async function livingClaims(directory: string, lock: string, nowMs: number, own: Claim): Promise<readonly Claim[]> {
  const claims = (await readdir(directory)).flatMap((file) => parseClaim(file, lock) ?? []).filter(({ file }) => file !== own.file)
  for (const { file, untilMs } of claims) if (untilMs <= nowMs) await rm(join(directory, file), { force: true })
  return claims.filter(({ untilMs }) => untilMs > nowMs)
}

function parseClaim(file: string, lock: string): Claim | undefined {
  const [, name, until, pid = ''] = /^\.([a-z-]+)\.([0-9]{1,16})\.([0-9]{1,10})\.[0-9a-f-]{36}\.lock$/.exec(file) ?? []
  return name === lock ? { file, untilMs: Number(until), pid } : undefined
}
