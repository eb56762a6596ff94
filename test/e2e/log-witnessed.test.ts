import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import {
  openTrusted,
  parseCheckpointBody,
  parseNote,
  parsePolicy,
  parseVerifierKey,
  policyText,
  verifierKeyText,
  verifyLog,
  type LogPolicy,
} from '@sallyport/contract/log'
import { nodeLogCrypto, verifierKeyOf } from '../../packages/gateway/src/audit/log-key.ts'
import { readLogKey } from '../../packages/gateway/src/control/data-folder.ts'
import { readLogAt } from '../../packages/gateway/src/drivers/log-network/read-log.ts'
import { runningWitness, type WitnessOnDisk } from '../fixtures/running-witness.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const deadlineMs = 15_000

async function vkeyOf(whole: WholeGateway): Promise<string> {
  return verifierKeyText(verifierKeyOf(await readLogKey(whole.data)))
}

async function configureWith(whole: WholeGateway, witnesses: readonly WitnessOnDisk[], quorum: number): Promise<void> {
  const log = { listen: '127.0.0.1:0', witnesses: witnesses.map(({ vkey, url }) => ({ vkey, url })), quorum }
  await whole.configure([{ id: 'get', match: { upstream: 'api' }, then: 'permit' }], [], undefined, {}, { log })
}

function policyOf(vkey: string, witnesses: readonly WitnessOnDisk[], quorum: number): LogPolicy {
  const parsed = parsePolicy(
    Buffer.from(
      policyText(
        vkey,
        witnesses.map((witness) => witness.vkey),
        quorum,
      ),
    ),
    nodeLogCrypto.sha256,
  )
  return parsed.kind === 'parsed' ? parsed.policy : assert.fail(parsed.reason)
}

/** The first answer of `look` that is one. */
async function eventually<Value>(look: () => Promise<Value | undefined>): Promise<Value> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; await wait(50)) {
    const value = await look()
    if (value !== undefined) return value
  }
  return assert.fail('it did not happen in time')
}

const sizeIn = (text: string): number => parseCheckpointBody(parseNote(text)?.body ?? '')?.size ?? -1

interface Status {
  readonly log: {
    readonly size: number
    readonly cosignedSize: number
    readonly witnesses: readonly { readonly name: string; readonly state: string; readonly size: number; readonly problem?: string }[]
  }
}

async function statusOf(whole: WholeGateway): Promise<Status> {
  return (await whole.admin('status', {})) as Status // the shape is what is tested
}

test('a gateway has its checkpoints cosigned and serves them: an outsider with the policy verifies the log over HTTP [L5]', async () => {
  await using whole = await wholeGateway()
  const vkey = await vkeyOf(whole)
  await using one = await runningWitness([vkey], 'witness.example/w1')
  await using two = await runningWitness([vkey], 'witness.example/w2')
  await configureWith(whole, [one, two], 2)
  const { addresses } = await whole.start()
  const policy = policyOf(vkey, [one, two], 2)
  await whole.enrolAgent()
  const agent = await whole.agent()
  for (let id = 0; id < 5; id += 1) await agent.callHttp('api', { method: 'GET', path: `/things/${id}` })
  const { size } = (await statusOf(whole)).log
  const reader = readLogAt(`http://${addresses.log}`)
  const served = await eventually(async () => {
    const text = await reader.checkpoint()
    return text !== undefined && sizeIn(text) >= size ? text : undefined
  })
  const opened = openTrusted(served, policy, nodeLogCrypto)
  assert.ok(opened.kind === 'opened', opened.kind === 'refused' ? opened.reason : '')
  assert.equal(opened.cosignatures.length, 2)
  const verdict = await verifyLog(reader, policy, nodeLogCrypto)
  reader.close()
  assert.ok(verdict.kind === 'verified', verdict.kind === 'fault' ? verdict.text : '')
  assert.deepEqual(
    verdict.cosigned?.witnesses.map(({ name }) => name),
    ['witness.example/w1', 'witness.example/w2'],
  )
  const status = await eventually(async () => {
    const now = await statusOf(whole)
    return now.log.witnesses.every(({ state }) => state === 'cosigns') ? now : undefined
  })
  assert.ok(status.log.cosignedSize >= size)
  const metrics = await (await fetch(`http://${addresses.operations}/metrics`)).text()
  assert.match(metrics, /^sallyport_log_witness_cosigns\{witness="witness\.example\/w1"\} 1$/m)
  assert.match(metrics, /^sallyport_log_cosigned_size [1-9]/m)
  assert.deepEqual(whole.faults, [])
})

test('a witness that is down keeps no call waiting, shows in the status, and catches up when it is back [L5]', async () => {
  await using whole = await wholeGateway()
  const vkey = await vkeyOf(whole)
  await using one = await runningWitness([vkey], 'witness.example/w1')
  await using two = await runningWitness([vkey], 'witness.example/w2')
  await configureWith(whole, [one, two], 1)
  await two.stop()
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const startedAt = Date.now()
  const answered = await agent.callHttp('api', { method: 'GET', path: '/things/1' })
  assert.ok(answered.kind === 'answer' && Date.now() - startedAt < 2_000)
  const down = await eventually(async () => {
    const { log } = await statusOf(whole)
    return log.cosignedSize > 0 && log.witnesses[1]?.state === 'fails' ? log : undefined
  })
  assert.match(down.witnesses[1]?.problem ?? '', /ECONNREFUSED/)
  assert.ok(whole.told.some(({ event, facts }) => event === 'log.witness' && facts['state'] === 'fails'))
  await two.start()
  await eventually(async () => ((await statusOf(whole)).log.witnesses.every(({ state }) => state === 'cosigns') ? true : undefined))
})

test('without a quorum no cosigned checkpoint is shown, and a verifier with the policy says what is missing', async () => {
  await using whole = await wholeGateway()
  const vkey = await vkeyOf(whole)
  await using one = await runningWitness([vkey], 'witness.example/w1')
  await using unknowing = await runningWitness([], 'witness.example/w2')
  await configureWith(whole, [one, unknowing], 2)
  const { addresses } = await whole.start()
  const status = await eventually(async () => {
    const { log } = await statusOf(whole)
    return log.witnesses[0]?.state === 'cosigns' && log.witnesses[1]?.state === 'refuses' ? log : undefined
  })
  assert.equal(status.cosignedSize, 0)
  assert.match(status.witnesses[1]?.problem ?? '', /404/)
  const reader = readLogAt(`http://${addresses.log}`)
  const verdict = await verifyLog(reader, policyOf(vkey, [one, unknowing], 2), nodeLogCrypto)
  assert.ok(verdict.kind === 'fault')
  assert.equal(verdict.check, 'quorum-missing')
  const key = parseVerifierKey(vkey, nodeLogCrypto.sha256)
  assert.ok(key && (await verifyLog(reader, key, nodeLogCrypto)).kind === 'verified')
  reader.close()
})

test('the cosigned checkpoint outlives a restart, and the witnesses go on where they were', async () => {
  await using whole = await wholeGateway()
  const vkey = await vkeyOf(whole)
  await using one = await runningWitness([vkey])
  await configureWith(whole, [one], 1)
  await whole.start()
  await eventually(async () => ((await statusOf(whole)).log.cosignedSize > 0 ? true : undefined))
  await whole.stop()
  const kept = await readFile(join(whole.data, 'log', 'cosigned'), 'utf8')
  // The witness has seen the last entry of a gateway that stopped, so nobody can put another in its place.
  assert.equal(sizeIn(kept), sizeIn(await readFile(join(whole.data, 'log', 'checkpoint'), 'utf8')))
  await whole.start()
  const { log } = await eventually(async () => {
    const status = await statusOf(whole)
    return status.log.cosignedSize > sizeIn(kept) ? status : undefined
  })
  assert.deepEqual(
    log.witnesses.map(({ state }) => state),
    ['cosigns'],
  )
  assert.deepEqual(whole.faults, [])
})
