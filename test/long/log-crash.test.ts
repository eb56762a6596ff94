import { join } from 'node:path'
import { test } from 'node:test'
import { crashAgainAndAgain } from '../fixtures/log-crash.ts'
import { temporaryFolder } from '../fixtures/log-folder.ts'

test('killed again and again while writing, the log keeps every acknowledged entry and verifies [L1] [L4]', async (t) => {
  const folder = temporaryFolder(t)
  await crashAgainAndAgain(folder, join(folder, 'key.pem'), 40, 2000)
})
