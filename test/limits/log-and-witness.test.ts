import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { cosignerKey, cosignerKeyText, parsePolicy, parseTilePath, verifierKey, verifierKeyText } from '@sallyport/contract/log'
import { ServedLog } from '../../packages/gateway/src/audit/served-log.ts'
import { listenForReaders, readerLimits } from '../../packages/gateway/src/control/log-readers/listen-for-readers.ts'
import { witnessLimits } from '../../packages/witness/src/listen.ts'
import { parseRequest } from '../../packages/witness/src/parse-request.ts'
import { newSigner, signCheckpoint } from '../fixtures/log-folder.ts'
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
