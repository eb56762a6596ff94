/**
 * Units of work for one evaluation: about one per value looked at or character searched. An evaluation that uses them up ends as an error, which denies;
 * so no call, however large, and no condition, however clumsy, can hold the thread that decides for everyone.
 */
export const workMax = 500_000

export class Meter {
  #left = workMax

  reset(): void {
    this.#left = workMax
  }

  spend(units: number): void {
    this.#left -= units
    if (this.#left < 0) throw new Error('the condition costs too much on a call of this size')
  }
}
