import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSigned } from '@sallyport/contract/log'
import { nodeLogCrypto } from '../../packages/gateway/src/audit/log-key.ts'
import { runningWitness } from '../fixtures/running-witness.ts'
import { SmallLog, submissionText } from '../fixtures/small-log.ts'

test('a log shows its witness another history, signed with its true key: it is not cosigned, by whatever proof [L5]', async () => {
  const honest = new SmallLog('log.example/one').grow(300)
  await using witness = await runningWitness([honest.vkey])
  assert.equal((await witness.add(await honest.submission(0))).status, 200)
  for (const from of [0, 1, 128, 255, 256, 299]) {
    const lie = honest.fork(from).grow(400 - from, 'lie')
    const proofs = [await lie.proof(300, 400), await lie.proof(from, 400), await honest.fork(300).grow(100).proof(300, 400), []]
    for (const proof of proofs) assert.equal((await witness.add(submissionText(300, proof, lie.checkpoint()))).status, 422, `from ${from}`)
    // To say that nothing was cosigned yet, or another size, does not help.
    assert.equal((await witness.add(await lie.submission(0))).status, 409)
    assert.equal((await witness.add(await lie.submission(from))).status, 409)
  }
  assert.equal((await witness.add(await honest.grow(1).submission(300))).status, 200)
})

test('two trees of one size under the true key are told to the operator, with the proof of it, once in a while [L5]', async () => {
  const honest = new SmallLog('log.example/one').grow(300)
  await using witness = await runningWitness([honest.vkey])
  await witness.add(await honest.submission(0))
  const lie = honest.fork(299).grow(1, 'lie')
  for (let times = 0; times < 3; times += 1) assert.equal((await witness.add(submissionText(300, [], lie.checkpoint()))).status, 422)
  assert.equal(witness.told.length, 1)
  const [told] = witness.told
  assert.deepEqual([told?.event, told?.facts['origin']], ['log.forked', 'log.example/one'])
  const evidence = openSigned(told?.facts['submitted'] ?? '', honest.key, nodeLogCrypto)
  assert.ok(evidence.kind === 'opened' && evidence.checkpoint.size === 300)
  // What anyone can send, a true checkpoint with a wrong proof, is no evidence against the log.
  await witness.add(submissionText(300, [], honest.grow(5).checkpoint()))
  assert.equal(witness.told.length, 1)
})
