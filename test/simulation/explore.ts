import type { Choose, Move, Touch } from './scheduler.ts'

/** The run shows nothing that another one has not shown. */
class Redundant extends Error {}

interface Frame {
  readonly moves: readonly Pick<Move, 'id' | 'touches'>[]
  /** What was taken from an equal place before, and nothing since has disturbed: to take it now shows nothing new. */
  readonly asleep: ReadonlyMap<string, Touch>
  chosen: number
}

export interface Explored {
  readonly runs: number
  readonly redundant: number
  /** Nothing was left out but what is redundant. */
  readonly isComplete: boolean
}

/**
 * Every run of a scenario, by depth first, each from its beginning; of runs that differ only in the order of moves that commute, one (sleep sets).
 *
 * @see Godefroid, Partial-Order Methods for the Verification of Concurrent Systems (LNCS 1032), chapter 5
 */
export async function explore(run: (choose: Choose) => Promise<void>, runsMax = Number.POSITIVE_INFINITY): Promise<Explored> {
  const frames: Frame[] = []
  let [runs, redundant] = [0, 0]
  do {
    if (runs + redundant >= runsMax) return { runs, redundant, isComplete: false }
    let depth = 0
    try {
      await run((moves) => {
        const frame = frames[depth] ?? enter(frames, moves)
        depth += 1
        if (frame.moves.length !== moves.length) throw new TypeError('the run is not the same when it is repeated')
        return frame.chosen
      })
      runs += 1
    } catch (error) {
      if (!(error instanceof Redundant)) throw error
      redundant += 1
    }
  } while (backtrack(frames))
  return { runs, redundant, isComplete: true }
}

function enter(frames: Frame[], moves: readonly Move[]): Frame {
  const before = frames.at(-1)
  const asleep = before ? stillAsleep(before) : new Map<string, Touch>()
  const frame = { moves: moves.map(({ id, touches }) => ({ id, touches })), asleep, chosen: -1 }
  if (!next(frame)) throw new Redundant()
  frames.push(frame)
  return frame
}

function stillAsleep({ moves, asleep, chosen }: Frame): Map<string, Touch> {
  const taken = moves[chosen]
  const sleeping = new Map<string, Touch>()
  if (!taken) return sleeping
  for (const [id, touches] of [...asleep, ...moves.slice(0, chosen).map((move) => [move.id, move.touches] as const)])
    if (commute(touches, taken.touches)) sleeping.set(id, touches)
  return sleeping
}

function backtrack(frames: Frame[]): boolean {
  for (let last = frames.at(-1); last; last = frames.at(-1)) {
    if (next(last)) return true
    frames.pop()
  }
  return false
}

function next(frame: Frame): boolean {
  do frame.chosen += 1
  while (frame.chosen < frame.moves.length && frame.asleep.has(frame.moves[frame.chosen]?.id ?? ''))
  return frame.chosen < frame.moves.length
}

function commute(one: Touch, other: Touch): boolean {
  if (one === 'own' || other === 'own') return true
  if (one === 'all' || other === 'all') return false
  if (one === 'provider' || other === 'provider') return one !== other
  return one === 'store' && other === 'store'
}

/** A generator of which a seed gives the whole sequence (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One move in so many is an odd one, where there is any. */
const oddShare = 0.12

export function chooseBy(random: () => number): Choose {
  return (moves) => {
    const wanted = random() < oddShare
    const fitting = moves.flatMap(({ isOdd }, index) => (isOdd === wanted ? [index] : []))
    const among = fitting.length > 0 ? fitting : moves.map((_, index) => index)
    return among[Math.floor(random() * among.length)] ?? 0
  }
}
