import assert from 'node:assert/strict'
import { generateKeyPairSync, hash, sign } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { cosignerKey, cosignerKeyText, parsePolicy, parseTilePath, verifierKey, verifierKeyText } from '@sallyport/contract/log'
import { noteUnitsMax } from '../../packages/contract/src/log/note.ts'
import { policyLimits } from '../../packages/contract/src/log/policy.ts'
import { ServedLog } from '../../packages/gateway/src/audit/served-log.ts'
import { readSmallFile } from '../../packages/gateway/src/cli/read-small-file.ts'
import { listenForReaders, readerLimits } from '../../packages/gateway/src/control/log-readers/listen-for-readers.ts'
import { listenAsWitness, witnessLimits } from '../../packages/witness/src/listen.ts'
import { parseRequest } from '../../packages/witness/src/parse-request.ts'
import { Witness } from '../../packages/witness/src/witness.ts'
import { witnessCrypto } from '../../packages/witness/src/witness-folder.ts'
import { limitInCode } from '../docs/limits-in-code.ts'
import { newSigner, signCheckpoint, temporaryFolder } from '../fixtures/log-folder.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { SmallLog, submissionText } from '../fixtures/small-log.ts'
import { testBound } from './bound.ts'

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer')
const keyOf = (at: number): Uint8Array => sha256(Buffer.from(`key ${at}`))
const isPolicy = (text: string): boolean => parsePolicy(Buffer.from(text), sha256).kind === 'parsed'
const lines = (count: number, line: (at: number) => string): string => Array.from({ length: count }, (_, at) => `${line(at)}\n`).join('')
const witnesses = (count: number): string => lines(count, (at) => `witness w${at} ${cosignerKeyText(cosignerKey(`w${at}`, keyOf(at), sha256))}`)

testBound('contract/log/policy.ts', 'policyLimits.bytes', (size) => isPolicy(`#${'x'.repeat(size - 14)}\nquorum none\n`))
testBound('contract/log/policy.ts', 'policyLimits.logs', (size) =>
  isPolicy(`${lines(size, (at) => `log ${verifierKeyText(verifierKey(`log${at}`, keyOf(at), sha256))}`)}quorum none\n`),
)
testBound('contract/log/policy.ts', 'policyLimits.witnesses', (size) => isPolicy(`${witnesses(size)}quorum w0\n`))
testBound('contract/log/policy.ts', 'policyLimits.groups', (size) =>
  isPolicy(`${witnesses(1)}${lines(size, (at) => `group g${at} any ${at === 0 ? 'w0' : `g${at - 1}`}`)}quorum g${size - 1}\n`),
)
testBound('contract/log/tile.ts', 'levelMax', (level) => parseTilePath(`tile/${level}/000`) !== undefined)

const log = new SmallLog('log.example/one').grow(3)
testBound('witness/parse-request.ts', 'proofLinesMax', (count) => {
  const proof = Array.from({ length: count }, (_, at) => Buffer.from(keyOf(at)).toString('base64'))
  return parseRequest(Buffer.from(submissionText(1, proof, log.checkpoint()))) !== undefined
})

test(`bodyBytes of witness/listen.ts: a larger submission is refused unread`, async () => {
  await using witness = await runningWitness([log.vkey])
  const body = await log.submission(0)
  const padded = (size: number): string => body.replace('old 0', `old ${'0'.repeat(size - Buffer.byteLength(body) + 1)}`)
  assert.equal((await witness.add(padded(witnessLimits.bodyBytes))).status, 400)
  assert.equal((await witness.add(padded(witnessLimits.bodyBytes + 1))).status, 413)
})

/** The status of the answer, without reading it on; undefined where the connection is closed instead. */
function ask(port: number, sockets: Socket[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /tile/0/000.p/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'))
    sockets.push(socket)
    socket.once('data', (bytes) => resolve(bytes.toString().split(' ')[1]))
    socket.once('close', () => resolve(undefined))
    socket.on('error', () => undefined)
  })
}

test('answers and connections of readerLimits: readers beyond them are turned away, and let in when others have gone', async (t) => {
  const signer = newSigner()
  const checkpoint = await signCheckpoint(signer, 1, new Uint8Array(32))
  let isRead: () => void = () => undefined
  const slow = new Promise<Uint8Array>((resolve) => (isRead = () => resolve(new Uint8Array(32))))
  const view = { checkpoint: async () => checkpoint, tile: () => slow, segments: async () => [], readSegment: async () => undefined }
  const readers = await listenForReaders(
    { host: '127.0.0.1', port: 0 },
    { log: new ServedLog(view, signer.key, false), names: [], observe: () => undefined, report: (fault) => assert.fail(String(fault)) },
  )
  t.after(() => readers.close())
  const sockets: Socket[] = []
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  const waiting = Array.from({ length: readerLimits.answers }, () => ask(readers.port, sockets))
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(await ask(readers.port, sockets), '503')
  isRead()
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['200']))
  assert.equal(await ask(readers.port, sockets), '200')
  for (const socket of sockets) socket.destroy()
  const idle = Array.from({ length: readerLimits.connections }, () => connect(readers.port, '127.0.0.1'))
  sockets.push(...idle)
  await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  assert.equal(await ask(readers.port, sockets), undefined)
})

test('answers of witnessLimits: who sends submission upon submission without waiting is turned away, and nobody is told of it', async (t) => {
  let isRead: () => void = () => undefined
  const slow = new Promise<undefined>((resolve) => (isRead = () => resolve(undefined)))
  const { privateKey } = generateKeyPairSync('ed25519')
  const store = { read: () => slow, keep: () => Promise.resolve(), close: () => undefined }
  const key = cosignerKey('witness.example/w1', keyOf(1), sha256)
  const witness = new Witness({
    key,
    sign: (text) => sign(null, text, privateKey),
    logs: [log.key],
    store,
    crypto: witnessCrypto,
    now: Date.now,
    onFork: () => undefined,
  })
  const faults: unknown[] = []
  const { port, close } = await listenAsWitness({ host: '127.0.0.1', port: 0 }, { witness, origins: [log.key.name], report: (fault) => faults.push(fault) })
  t.after(() => close())
  const path = `/${hash('sha256', log.key.name)}/checkpoint`
  const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: witness\r\n\r\n`.repeat(witnessLimits.answers)))
  t.after(() => socket.destroy())
  const status = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status
  for (let asked = 0; (await Promise.race([status(), wait(50, 'waits')])) !== 503; asked += 1) assert.ok(asked < 20)
  isRead()
  for (let asked = 0; (await status()) !== 404; asked += 1) assert.ok(asked < 100)
  const gone = connect(port, '127.0.0.1', () =>
    gone.write('POST /add-checkpoint HTTP/1.1\r\nHost: witness\r\nContent-Length: 100\r\n\r\nold 0', () => gone.destroy()),
  )
  await once(gone, 'close')
  assert.equal(await status(), 404)
  assert.deepEqual(faults, [])
})

test('fileBytesMax of cli/log-proof-commands.ts: a file of that size is read, a larger one and a device without end are not', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  for (const size of [0, 10, 11]) {
    await writeFile(file, Buffer.alloc(size))
    assert.equal((await readSmallFile(file, 11)).length, size)
  }
  await writeFile(file, Buffer.alloc(12))
  await assert.rejects(readSmallFile(file, 11), /is larger than 11 bytes/)
  await assert.rejects(readSmallFile('/dev/zero', 11), /is larger than 11 bytes/)
  const { value } = limitInCode(process.cwd(), 'gateway/cli/log-proof-commands.ts', 'fileBytesMax')
  assert.ok(value > policyLimits.bytes && value > noteUnitsMax)
})
