import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { logKeyText } from '../../packages/gateway/src/audit/log-key.ts'
import { ServedLog } from '../../packages/gateway/src/audit/served-log.ts'
import { listenForReaders } from '../../packages/gateway/src/control/log-readers/listen-for-readers.ts'
import { viewLogFolder } from '../../packages/gateway/src/drivers/posix-log/log-folder.ts'
import { cosignFolder, policyFor, verifyUnder } from '../fixtures/cosigned-log.ts'
import { newSigner, temporaryFolder, writeLog } from '../fixtures/log-folder.ts'
import { operator } from '../fixtures/operator.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

async function serve(t: TestContext, folder: string, signer: ReturnType<typeof newSigner>): Promise<string> {
  const log = new ServedLog(viewLogFolder(folder), signer.key, false)
  const readers = await listenForReaders({ host: '127.0.0.1', port: 0 }, { log, names: [], observe: () => undefined, report: () => undefined })
  t.after(() => readers.close())
  return `http://127.0.0.1:${readers.port}`
}

test('two auditors are shown two logs: each verifies, and one checkpoint passed between them shows the split [L5]', async (t) => {
  const [one, two] = [temporaryFolder(t), temporaryFolder(t)]
  const signer = newSigner()
  await writeLog(one, signer, 0, 100)
  await writeLog(two, signer, 0, 99)
  await writeLog(two, signer, 200, 230) // from here on, something else
  const [first, second] = [await serve(t, one, signer), await serve(t, two, signer)]
  await using whole = await wholeGateway() // only its commands are used, and no folder of its
  const key = ['--key', logKeyText(signer)]
  const memory = join(whole.folder, 'memory')
  const verify = async (from: string, ...more: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await operator(whole, ['log', 'verify', '--from', from, ...key, ...more])
    return code === 0 ? stdout : stderr
  }
  assert.match(await verify(first, '--remember', memory), /^verified: 100 entries/)
  assert.match(await verify(second), /^verified: 129 entries/)
  assert.match(await verify(second, '--against', memory), /the log was rewritten: its first 100 entries/)
  // The first auditor, shown the other log later, knows by himself, and does not forget what he saw.
  const before = await readFile(memory, 'utf8')
  assert.match(await verify(second, '--remember', memory), /the log was rewritten/)
  assert.equal(await readFile(memory, 'utf8'), before)
  assert.match(await verify(first, '--remember', memory), /^verified: 100 entries/)
})

test('a witness cosigns only one of two logs: under a policy the other does not verify for anyone [L5]', async (t) => {
  const [one, two] = [temporaryFolder(t), temporaryFolder(t)]
  const signer = newSigner()
  await using witness = await runningWitness([logKeyText(signer)])
  const policy = policyFor(signer, [witness.vkey])
  await writeLog(one, signer, 0, 100)
  await writeLog(two, signer, 0, 99)
  await writeLog(two, signer, 200, 230)
  assert.equal((await cosignFolder(one, signer, [witness]))[0]?.state, 'cosigns')
  assert.equal((await cosignFolder(two, signer, [witness]))[0]?.state, 'conflict')
  assert.equal((await verifyUnder(policy, one)).kind, 'verified')
  const verdict = await verifyUnder(policy, two)
  assert.equal(verdict.kind === 'fault' && verdict.check, 'quorum-missing')
})

test('a server sends an auditor a checkpoint without end: the verification ends with a reason [L5]', async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'.repeat(1_000_000)), 1)
    response.on('close', () => clearInterval(timer))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => (server.closeAllConnections(), server.close()))
  const address = server.address()
  await using whole = await wholeGateway()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const { code, stderr } = await operator(whole, ['log', 'verify', '--from', url, '--key', logKeyText(newSigner())])
  assert.equal(code, 1)
  assert.match(stderr, /larger than 1000000 bytes/) // checkpointBytes
})
