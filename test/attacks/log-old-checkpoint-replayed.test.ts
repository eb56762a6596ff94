import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { checkpointIn, cosignFolder } from '../fixtures/cosigned-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { operator } from '../fixtures/operator.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'
import { policyText } from '@sallyport/contract/log'
import { writeFile } from 'node:fs/promises'

test('an auditor is served an old checkpoint, signed and cosigned in its time: the memory of the auditor refuses it [L5]', async (t) => {
  const folder = temporaryFolder(t)
  const signer = newSigner()
  await using witness = await runningWitness([logKeyText(signer)])
  await writeLog(folder, signer, 0, 100)
  await cosignFolder(folder, signer, [witness])
  const old = checkpointIn(folder, 'cosigned')
  await writeLog(folder, signer, 100, 120)
  await cosignFolder(folder, signer, [witness])
  let shown = checkpointIn(folder, 'cosigned')

  // What an attacker between them can do: true files, and the checkpoint of their choice.
  const view = viewLogFolder(folder)
  const server = createServer((request, response) => {
    if (request.url === '/checkpoint') return void response.end(shown)
    void view.tile((request.url ?? '').slice(1)).then((bytes) => response.writeHead(bytes ? 200 : 404).end(bytes))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => (server.closeAllConnections(), server.close()))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`

  await using whole = await wholeGateway()
  const policy = join(whole.folder, 'policy')
  await writeFile(policy, policyText(logKeyText(signer), [witness.vkey], 1))
  const verify = (...more: readonly string[]): ReturnType<typeof operator> =>
    operator(whole, ['log', 'verify', '--from', url, '--policy', policy, '--json', ...more])
  const remember = ['--remember', join(whole.folder, 'memory')]
  assert.equal((await verify(...remember)).code, 0)
  shown = old
  assert.equal((await verify()).code, 0) // it is genuine, only old: without a memory nobody can tell
  const replayed = await verify(...remember)
  assert.equal(replayed.code, 1)
  const { error } = JSON.parse(replayed.stderr)
  assert.deepEqual([error.check, error.index, error.lastIndex], ['rolled-back', 100, 119])
  // One that covers more than before is taken, and remembered.
  await writeLog(folder, signer, 120, 130)
  await cosignFolder(folder, signer, [witness])
  shown = checkpointIn(folder, 'cosigned')
  assert.equal(JSON.parse((await verify(...remember)).stdout).size, 130)
})
