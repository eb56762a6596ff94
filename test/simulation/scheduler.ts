import { AsyncLocalStorage } from 'node:async_hooks'
import { Fault } from '@sallyport/contract'

/** A process of the gateway. What a dead one was doing never goes on. */
export interface Machine {
  readonly name: string
  isDead: boolean
  /** Stopped as by SIGSTOP: nothing of it moves, not even its timers. */
  isPaused: boolean
}

/** One port call that waits for its turn. */
export interface Call {
  readonly id: number
  readonly label: string
  readonly machine: Machine | undefined
  readonly actor: string
  readonly touches: Touch
  readonly canFail: boolean
  isHeld: boolean
  /** The ways in which the world can answer; the first is the ordinary one, each other one costs of the budget for `provider`. */
  readonly ways: readonly Way[]
  readonly reject: (fault: Fault) => void
}

export interface Way {
  readonly name: string
  /** Has its effect and gives its answer. */
  readonly take: () => Promise<void>
}

export interface CallMore {
  readonly touches?: Touch
  readonly canFail?: boolean
  readonly isHeld?: boolean
}

interface Timer {
  readonly at: number
  readonly machine: Machine | undefined
  readonly fire: () => void
}

/** How many departures from the ordinary course one run may hold. */
export interface Budget {
  crashes: number
  /** Failures of the store and the log: before the work and after it. */
  faults: number
  /** Odd answers of the provider. */
  provider: number
  /** Advances of the clock while something could move. */
  stalls: number
  clockSteps: number
  pauses: number
}

export const nothingOdd: Budget = { crashes: 0, faults: 0, provider: 0, stalls: 0, clockSteps: 0, pauses: 0 }

/** What a move can disturb. Two moves commute unless both touch the same thing, and one of them changes it. */
export type Touch = 'all' | 'store, changing it' | 'store' | 'provider' | 'own'

export interface Move {
  readonly label: string
  /** Tells it from every other move of the run. */
  readonly id: string
  readonly touches: Touch
  readonly isOdd: boolean
  readonly go: () => Promise<void> | void
}

/** Picks one of these moves. */
export type Choose = (moves: readonly Move[]) => number

export const first: Choose = () => 0

const actors = new AsyncLocalStorage<string>()

/** Runs `work` so that every port call below it is known to be of this actor. */
export function as<Result>(actor: string, work: () => Result): Result {
  return actors.run(actor, work)
}

export function currentActor(): string {
  return actors.getStore() ?? 'nobody'
}

/** Moves that one run may take: a run that goes on for longer does not end. */
const movesMax = 5000
const clockStepMs = 600_000

/** Decides what happens next, and nothing happens without it: one thread, virtual time, every port call a point where anything else can come first. */
export class Scheduler {
  #choose: Choose
  readonly budget: Budget
  /** Of real time; what machines and the store see can differ. */
  time = 1_800_000_000_000
  /** How far the clock of the store was put. */
  storeShift = 0
  readonly trace: string[] = []
  readonly odd = new Set<keyof Budget>()
  #made = 0
  #calls: Call[] = []
  #timers: Timer[] = []
  readonly #machines = new Set<Machine>()
  /** Stopped by a move, and so by another one to go on. */
  readonly #resting = new Set<Machine>()
  readonly #crashed = new Map<Machine, (() => void)[]>()

  constructor(choose: Choose, budget: Budget) {
    this.#choose = choose
    this.budget = { ...budget }
  }

  machine(name: string): Machine {
    const machine = { name, isDead: false, isPaused: false }
    this.#machines.add(machine)
    return machine
  }

  /** Waits for its turn, and then has its effect at once. */
  async call<Result>(label: string, machine: Machine | undefined, effect: () => Result | Promise<Result>, more: CallMore = {}): Promise<Result> {
    return this.callWays<Result>(label, machine, (answer, fail) => [{ name: '', take: async () => answerWith(effect, answer, fail) }], more)
  }

  callWays<Result>(
    label: string,
    machine: Machine | undefined,
    ways: (answer: (result: Result) => void, fail: (error: unknown) => void) => readonly Way[],
    more: CallMore = {},
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (machine?.isDead === true) return
      this.#made += 1
      this.#calls.push({
        id: this.#made,
        label,
        machine,
        actor: currentActor(),
        touches: more.touches ?? 'all',
        canFail: more.canFail ?? false,
        isHeld: more.isHeld ?? false,
        ways: ways(
          (result) => void (machine?.isDead === true || resolve(result)),
          (error) => void (machine?.isDead === true || reject(error)),
        ),
        reject,
      })
    })
  }

  /** Takes a call back, as a cut connection does. */
  withdraw(isMeant: (call: Call) => boolean): void {
    this.#calls = this.#calls.filter((call) => !isMeant(call))
  }

  hold(isMeant: (call: Call) => boolean, isHeld = true): void {
    for (const call of this.#calls) if (isMeant(call)) call.isHeld = isHeld
  }

  get waiting(): readonly Call[] {
    return this.#calls
  }

  pause(milliseconds: number, machine: Machine | undefined, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (machine?.isDead === true) return
      const timer = { at: this.time + milliseconds, machine, fire: resolve }
      this.#timers.push(timer)
      signal?.addEventListener('abort', () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
        resolve()
      })
    })
  }

  crash(machine: Machine): void {
    machine.isDead = true
    this.#calls = this.#calls.filter((call) => call.machine !== machine)
    this.#timers = this.#timers.filter((timer) => timer.machine !== machine)
    for (const tell of this.#crashed.get(machine) ?? []) tell()
  }

  onCrash(machine: Machine, tell: () => void): void {
    this.#crashed.set(machine, [...(this.#crashed.get(machine) ?? []), tell])
  }

  /** Lets everything happen that can, in the order chosen. With `until`, time goes on to that moment; without, as far as anything waits for it. */
  async run(until?: number): Promise<void> {
    await settled()
    for (let moves = 0; moves < movesMax; moves += 1) {
      const possible = this.#moves(until)
      if (possible.length === 0) {
        if (until !== undefined) this.time = Math.max(this.time, until)
        return
      }
      const chosen = possible[this.#choose(possible)]
      if (!chosen) throw new RangeError('no such move')
      this.trace.push(chosen.label)
      await chosen.go()
      await settled()
    }
    throw new Error(`it does not end:\n${this.trace.slice(-40).join('\n')}`)
  }

  /** From here on nothing odd happens, and everything in its order. */
  calmDown(): void {
    this.#choose = first
    Object.assign(this.budget, nothingOdd)
    for (const machine of this.#machines) machine.isPaused = false
  }

  advance(milliseconds: number): Promise<void> {
    return this.run(this.time + milliseconds)
  }

  /** What is possible without time going on. */
  runNow(): Promise<void> {
    return this.run(this.time)
  }

  #moves(until: number | undefined): Move[] {
    const ready = this.#calls.filter(({ isHeld, machine }) => !isHeld && machine?.isPaused !== true)
    // What touches only its own can come at once: delaying it shows nothing that delaying its successor does not.
    const local = ready.find(({ touches }) => touches === 'own')
    const calls = local ? [local] : ready
    const moves = calls.flatMap((call) => this.#waysOf(call))
    const next = this.#nextTimer(until)
    if (next && (calls.length === 0 || (!local && this.budget.stalls > 0)))
      moves.push(odd(`time goes on${calls.length > 0 ? ', early' : ''}`, () => this.#advanceTo(next.at, calls.length > 0), calls.length > 0))
    if (!local) moves.push(...this.#oddMoves(calls))
    return moves
  }

  #waysOf(call: Call): Move[] {
    const { id, machine, touches } = call
    const name = `${call.actor}: ${call.label}`
    const moves: Move[] = call.ways.slice(0, this.budget.provider > 0 ? undefined : 1).map((way, index) => ({
      label: `${name}${way.name && ` ${way.name}`}`,
      id: `${id} ${index}`,
      touches: index === 0 ? touches : 'all',
      isOdd: index > 0,
      go: async () => {
        if (index > 0) this.#spend('provider')
        this.#remove(call)
        await as(call.actor, way.take)
      },
    }))
    const [ordinary] = call.ways
    if (!ordinary) return moves
    if (call.canFail && this.budget.faults > 0) {
      const fail = (fault: Fault): void => {
        this.#spend('faults')
        this.#remove(call)
        call.reject(fault)
      }
      moves.push(odd(`${name} FAILS`, () => fail(new Fault('failed', 'not-done'))))
      moves.push(
        odd(`${name} IS DONE AND FAILS`, async () => {
          fail(new Fault('failed after it was done', 'unknown')) // first, so that its answer comes too late
          await as(call.actor, ordinary.take)
        }),
      )
    }
    if (machine && this.budget.crashes > 0) {
      const crash = (): void => {
        this.#spend('crashes')
        this.crash(machine)
      }
      moves.push(
        odd(`${name} AND ${machine.name} CRASHES`, async () => {
          crash()
          await as(call.actor, ordinary.take)
        }),
        odd(`${machine.name} CRASHES before ${name}`, crash),
      )
    }
    return moves
  }

  #oddMoves(calls: readonly Call[]): Move[] {
    const moves: Move[] = []
    if (this.budget.clockSteps > 0 && calls.length > 0) {
      for (const step of [clockStepMs, -clockStepMs]) {
        const put = (): void => {
          this.#spend('clockSteps')
          this.storeShift += step
        }
        moves.push(odd(`the clock of the store is put by ${step} ms`, put))
      }
    }
    for (const machine of this.#machines) {
      if (machine.isDead) continue
      if (machine.isPaused && this.#resting.has(machine)) moves.push(odd(`${machine.name} goes on`, () => void (machine.isPaused = false), false))
      else if (!machine.isPaused && this.budget.pauses > 0 && calls.some((call) => call.machine === machine)) {
        const stop = (): void => {
          this.#spend('pauses')
          machine.isPaused = true
          this.#resting.add(machine)
        }
        moves.push(odd(`${machine.name} stops for a while`, stop))
      }
    }
    return moves
  }

  #nextTimer(until: number | undefined): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.machine?.isPaused === true || (until !== undefined && timer.at > until)) continue
      if (!next || timer.at < next.at) next = timer
    }
    return next
  }

  #advanceTo(at: number, isEarly: boolean): void {
    if (isEarly) this.#spend('stalls')
    this.time = Math.max(this.time, at)
    const due = this.#timers.filter((timer) => timer.at <= this.time && timer.machine?.isPaused !== true)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { fire } of due) fire()
  }

  #spend(what: keyof Budget): void {
    this.budget[what] -= 1
    this.odd.add(what)
  }

  #remove(call: Call): void {
    this.#calls = this.#calls.filter((other) => other !== call)
  }
}

function odd(label: string, go: Move['go'], isOdd = true): Move {
  return { label, id: label, touches: 'all', isOdd, go }
}

async function answerWith<Result>(effect: () => Result | Promise<Result>, answer: (result: Result) => void, fail: (error: unknown) => void): Promise<void> {
  try {
    answer(await effect())
  } catch (error) {
    fail(error)
  }
}

/** When everything has gone as far as it can without another move. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
