/** Lets one piece of work run at a time, in the order asked. A failure is its caller's alone. */
export class InOrder {
  #last: Promise<unknown> = Promise.resolve()

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}
