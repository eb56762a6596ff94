import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { emptyRoot, openCosignatures, openSigned, parseNote, toBase64 } from '@sallyport/contract/log'
import { nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { SmallLog, submissionText } from '../fixtures/small-log.ts'

const origin = 'log.example/one'

test('a witness cosigns a log as it grows, at every border of tiles, and shows monitors the newest [L5]', async () => {
  const log = new SmallLog(origin)
  await using witness = await runningWitness([log.vkey])
  const monitored = `${witness.url}/${createHash('sha256').update(origin).digest('hex')}/checkpoint`
  assert.equal((await fetch(monitored)).status, 404)
  let old = 0
  for (const size of [0, 1, 2, 255, 256, 257, 600]) {
    log.grow(size - log.size)
    const { status, text, type } = await witness.add(await log.submission(old))
    assert.deepEqual([status, type], [200, 'text/plain; charset=utf-8'], text)
    const cosigned = parseNote(log.checkpoint() + text) ?? assert.fail('the lines cannot be put below the checkpoint')
    const opened = openCosignatures(cosigned, [witness.key], nodeLogCrypto)
    assert.deepEqual(opened, { kind: 'opened', cosignatures: [{ key: witness.key, time: Math.floor(witness.nowMs / 1000) }] })
    const shown = await (await fetch(monitored)).text()
    assert.equal(shown, log.checkpoint() + text)
    old = size
  }
})

test('each refusal has the status of the specification, and changes nothing', async () => {
  const log = new SmallLog(origin).grow(300)
  const stranger = new SmallLog('log.example/other').grow(3)
  const impostor = new SmallLog(origin).grow(3)
  await using witness = await runningWitness([log.vkey])
  assert.equal((await witness.add(await log.submission(0, 200))).status, 200)
  const proof = await log.proof(200)
  const checkpoint = log.checkpoint()
  const broken = checkpoint.replace(/(— \S+ \S{20})./, (_, start: string) => `${start}${checkpoint.includes(`${start}A`) ? 'B' : 'A'}`)
  const cases: readonly (readonly [string, number, string])[] = [
    ['unknown log', 404, await stranger.submission(0)],
    ['no signature of the key', 403, await impostor.submission(0)],
    ['a signature that does not fit', 403, submissionText(200, proof, broken)],
    ['old size above the size', 400, submissionText(301, [], checkpoint)],
    ['old size not the last', 409, await log.submission(100)],
    ['no old size', 409, await log.submission(0)],
    ['no proof', 422, submissionText(200, [], checkpoint)],
    ['half a proof', 422, submissionText(200, proof.slice(1), checkpoint)],
    ['a proof of other sizes', 422, submissionText(200, await log.proof(199), checkpoint)],
    ['a proof too many', 422, submissionText(200, [...proof, proof[0] ?? ''], checkpoint)],
    ['a proof between equal sizes', 422, submissionText(200, proof, log.checkpoint(200))],
    ['another root of the same size', 422, submissionText(200, [], log.checkpoint(200, log.root(199)))],
    ['not a submission', 400, checkpoint],
    ['empty', 400, ''],
    ['old with a leading zero', 400, submissionText(200, proof, checkpoint).replace('old 200', 'old 0200')],
    ['old without a number', 400, submissionText(200, proof, checkpoint).replace('old 200', 'old')],
    [
      'a proof line too many',
      400,
      submissionText(
        200,
        Array.from({ length: 64 }, () => proof[0] ?? ''),
        checkpoint,
      ),
    ],
    ['a proof line too short', 400, submissionText(200, ['AAAA'], checkpoint)],
    ['a proof line not canonical', 400, submissionText(200, [(proof[0] ?? '').replace(/.=$/, '/=')], checkpoint)],
    ['carriage returns', 400, submissionText(200, proof, checkpoint).replaceAll('\n', '\r\n')],
    ['a note that is no checkpoint', 400, submissionText(200, proof, checkpoint.replace('\n300\n', '\nmany\n'))],
  ]
  for (const [what, status, body] of cases) {
    const answered = await witness.add(body)
    assert.equal(answered.status, status, `${what}: ${answered.text}`)
    if (status === 409) assert.deepEqual([answered.type, answered.text], ['text/x.tlog.size', '200\n'], what)
  }
  assert.equal((await witness.add(new Uint8Array([0x6f, 0x6c, 0x64, 0x20, 0x30, 0x0a, 0x0a, 0xff, 0x0a]))).status, 400)
  assert.equal((await witness.add(submissionText(200, proof, checkpoint))).status, 200)
})

test('an empty log has the root of the empty tree, and needs no proof', async () => {
  const log = new SmallLog(origin)
  await using witness = await runningWitness([log.vkey])
  const wrong = submissionText(0, [], log.checkpoint(0, new Uint8Array(32)))
  assert.equal((await witness.add(wrong)).status, 422)
  assert.equal((await witness.add(submissionText(0, [toBase64(emptyRoot(nodeLogCrypto.sha256))], log.checkpoint()))).status, 422)
  assert.equal((await witness.add(submissionText(0, [], log.checkpoint()))).status, 200)
  assert.equal((await witness.add(submissionText(0, [], log.checkpoint()))).status, 200)
})

test('of submissions that come at once each is judged against the one before: one passes, none is rolled back', async () => {
  const log = new SmallLog(origin).grow(50)
  await using witness = await runningWitness([log.vkey])
  assert.equal((await witness.add(await log.submission(0, 10))).status, 200)
  const sizes = [20, 30, 40, 50, 25, 15]
  const answers = await Promise.all(sizes.map(async (size) => witness.add(await log.submission(10, size))))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.equal(answers.filter(({ status }) => status === 409).length, 5)
  const kept = sizes[answers.findIndex(({ status }) => status === 200)]
  for (const { status, text } of answers) if (status === 409) assert.equal(text, `${kept}\n`)
})

test('what it cosigned outlives a restart, and the time of a cosignature never runs backwards', async () => {
  const log = new SmallLog(origin).grow(20)
  await using witness = await runningWitness([log.vkey])
  await witness.add(await log.submission(0, 10))
  const { nowMs } = witness
  await witness.stop()
  witness.nowMs -= 3_600_000
  await witness.start()
  assert.equal((await witness.add(await log.submission(0))).text, '10\n')
  const { text } = await witness.add(await log.submission(10))
  const opened = openCosignatures(parseNote(log.checkpoint() + text) ?? assert.fail(), [witness.key], nodeLogCrypto)
  assert.ok(opened.kind === 'opened')
  assert.equal(opened.cosignatures[0]?.time, Math.floor(nowMs / 1000))
})

test('one witness serves several logs, each with keys of its own', async () => {
  const [one, two] = [new SmallLog('log.example/one').grow(5), new SmallLog('log.example/two').grow(7)]
  const renewed = new SmallLog('log.example/one').grow(6) // the same entries under the next key
  await using witness = await runningWitness([one.vkey, two.vkey, renewed.vkey])
  assert.equal((await witness.add(await one.submission(0))).status, 200)
  assert.equal((await witness.add(await two.submission(0))).status, 200)
  assert.equal((await witness.add(await renewed.submission(5))).status, 200)
  const shown = await (await fetch(`${witness.url}/${createHash('sha256').update('log.example/one').digest('hex')}/checkpoint`)).text()
  assert.equal(openSigned(shown, renewed.key, nodeLogCrypto).kind, 'opened')
})

test('signatures of strangers on a checkpoint are ignored, and not kept', async () => {
  const log = new SmallLog(origin).grow(3)
  await using witness = await runningWitness([log.vkey])
  const line = new SmallLog('stranger.example').checkpoint().split('\n\n')[1] ?? ''
  assert.equal((await witness.add((await log.submission(0)) + line)).status, 200)
  const shown = await (await fetch(`${witness.url}/${createHash('sha256').update(origin).digest('hex')}/checkpoint`)).text()
  assert.ok(!shown.includes('stranger'))
})

test('other methods, paths and bodies without end are refused', async () => {
  const log = new SmallLog(origin).grow(3)
  await using witness = await runningWitness([log.vkey])
  assert.equal((await fetch(`${witness.url}/add-checkpoint`)).status, 405)
  assert.equal((await fetch(`${witness.url}/add-checkpoint?x`, { method: 'POST', body: '' })).status, 404)
  assert.equal((await fetch(`${witness.url}/${'0'.repeat(64)}/checkpoint`)).status, 404)
  assert.equal((await fetch(`${witness.url}/${'0'.repeat(64)}/checkpoint`, { method: 'DELETE' })).status, 405)
  assert.equal((await fetch(witness.url)).status, 404)
})
