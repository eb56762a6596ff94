import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { CommandFailure } from './command-failure.ts'
import { readEnrolmentToken, tokenVariable, type TokenOptions } from './read-enrolment-token.ts'

const read = (options: TokenOptions, input = '', env = {}): Promise<string> => readEnrolmentToken({ stdin: Readable.from([input]), env }, options)
const isUsage = (error: unknown): boolean => error instanceof CommandFailure && error.exitCode === 64

test('a token need not stand on a command line: it comes from a file, standard input or the environment', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-token-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'sp1.in-a-file\n')
  assert.equal(await read({ tokenFile }), 'sp1.in-a-file')
  assert.equal(await read({ token: '-' }, 'sp1.on-stdin\n'), 'sp1.on-stdin')
  assert.equal(await read({}, '', { [tokenVariable]: 'sp1.in-env' }), 'sp1.in-env')
  assert.equal(await read({ token: 'sp1.literal' }, '', { [tokenVariable]: 'sp1.in-env' }), 'sp1.literal')
  await assert.rejects(read({ tokenFile: join(folder, 'nowhere') }), (error) => error instanceof CommandFailure && error.exitCode === 78)
  writeFileSync(tokenFile, 'x'.repeat(1025))
  await assert.rejects(read({ tokenFile }), isUsage)
})

test('no token, two, and one without end are refused with what to do', async () => {
  await assert.rejects(read({}), (error) => isUsage(error) && /--token-file/.test(String(error)))
  await assert.rejects(read({}, '', { [tokenVariable]: '' }), isUsage)
  await assert.rejects(read({ token: '-', tokenFile: 'f' }), isUsage)
  await assert.rejects(read({ token: '-' }, 'x'.repeat(1025)), isUsage)
})
