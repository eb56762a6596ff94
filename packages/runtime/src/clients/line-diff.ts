const contextLines = 3

/**
 * What changes between two texts, in unified form: the changed lines, a few around them, and where they are. Characters that a terminal would act upon are shown as `?`:
 * the text is somebody else's.
 */
export function lineDiff(path: string, before: string, after: string): string {
  const [old, next] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < old.length && start < next.length && old[start] === next[start]) start += 1
  let same = 0
  while (same < old.length - start && same < next.length - start && old[old.length - 1 - same] === next[next.length - 1 - same]) same += 1
  const from = Math.max(0, start - contextLines)
  const lead = old.slice(from, start)
  const tail = old.slice(old.length - same, old.length - same + contextLines)
  const removed = old.slice(start, old.length - same)
  const added = next.slice(start, next.length - same)
  const range = (count: number): string => `${count === 0 ? from : from + 1},${count}`
  const header = [
    `--- ${path}`,
    `+++ ${path}`,
    `@@ -${range(lead.length + removed.length + tail.length)} +${range(lead.length + added.length + tail.length)} @@`,
  ]
  const body = [mark(' ', lead), mark('-', removed), mark('+', added), mark(' ', tail)].flat()
  return [...header, ...body].join('\n')
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function mark(sign: string, lines: readonly string[]): readonly string[] {
  return lines.map((line) => `${sign}${line.replace(/\r$/, '').replaceAll(/(?!\t)[\p{Cc}\p{Cf}]/gu, '?')}`)
}
