import type { TestEvent } from 'node:test/reporters'

/** Prints each failure whole and the totals on a line of their own. */
export default async function* summary(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0
  let failed = 0
  let skipped = 0
  for await (const event of source) {
    if (event.type === 'test:pass' && event.data.details.type !== 'suite') {
      if (event.data.skip === undefined) passed += 1
      else skipped += 1
    }
    if (event.type === 'test:fail') {
      failed += 1
      const { error } = event.data.details
      const cause = error.cause instanceof Error ? error.cause : error
      yield `\nfailed: ${event.data.name} (${event.data.file ?? 'unknown file'})\n${cause.stack ?? cause.message}\n`
    }
  }
  yield `\n${passed} passed, ${failed} failed, ${skipped} skipped\n`
}
