/** Shorter work is over before anyone reads how far it is. */
export const progressStepsMin = 50_000
const barWidth = 30

export interface ProgressLine {
  /** Of `size` steps, so many are done. */
  tell(done: number, size: number): void
  /** Takes the line away, so that what is written next has it. */
  clear(): void
}

/** A line on a terminal that says how far long work is, each percent of it; nothing anywhere else. */
export function progressLine(stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }): ProgressLine {
  let shown = -1
  return {
    tell: (done, size) => {
      const percent = Math.floor((100 * done) / size)
      if (stderr.isTTY !== true || size < progressStepsMin || percent === shown) return
      shown = percent
      const bar = '#'.repeat(Math.floor((percent * barWidth) / 100)).padEnd(barWidth, '.')
      stderr.write(`\r[${bar}] ${percent} % of ${size} entries`)
    },
    clear: () => {
      if (shown >= 0) stderr.write('\r\u001b[K')
      shown = -1
    },
  }
}
