/** Resolves after so long, or as soon as `signal` aborts. Never rejects. */
export type Pause = (milliseconds: number, signal?: AbortSignal) => Promise<void>

/**
 * Does `work` until a deadline: undefined when it was not done by then. Its signal aborts at the deadline, and `late` gets what it still comes to.
 */
export async function withDeadline<Result extends NonNullable<unknown>>(
  pause: Pause,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<Result>,
  late?: (result: Result) => void,
): Promise<Result | undefined> {
  const [cut, done] = [new AbortController(), new AbortController()]
  const working = work(cut.signal)
  const result = await Promise.race([working, pause(milliseconds, done.signal)])
  if (result !== undefined) {
    done.abort()
    return result
  }
  cut.abort()
  void working.then(late, () => undefined)
  return undefined
}
