/** Time as an argument; only a composition root chooses the real one. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs `act` once after `delayMs`, without keeping the process alive; the returned function cancels. */
  after(delayMs: number, act: () => void): () => void
}
