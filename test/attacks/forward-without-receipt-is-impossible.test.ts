// A second door: code that forwards a call which was not judged, or not yet written to the log.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPermit, permit, type Permit } from '../../packages/gateway/src/policy/decision.ts'
import { receiptFor, type Receipt } from '../../packages/gateway/src/audit/receipt.ts'
import { forward, type ForwardPorts } from '../../packages/gateway/src/forward/forward.ts'
import { callBy, policyOf, principalOf } from '../fixtures/access-request.ts'
import { HttpForwarding, loopbackAllowed } from '../fixtures/http-forwarding.ts'
import { answerText, RawUpstream } from '../fixtures/raw-upstream.ts'

const policy = policyOf([])
const principal = await principalOf('acme', 'invoice-bot')
const grounds = { rules: [], shadow: [], facts: {}, quotas: [], reason: undefined }

const call = callBy(principal, { upstream: 'crm', target: '/things' })

function permitted(): Receipt {
  return receiptFor(call, permit(grounds), 7)
}

async function withPorts(work: (ports: ForwardPorts, upstream: RawUpstream) => Promise<void>): Promise<void> {
  await using upstream = await RawUpstream.start((socket) => void socket.write(answerText('fine')))
  await using forwarding = new HttpForwarding({ url: upstream.url, ...loopbackAllowed })
  // An HTTP call asks none of the other ports; one that did would fail the test.
  const ports: Pick<ForwardPorts, 'exchanges'> = { exchanges: forwarding.exchanges }
  await work(asPorts(ports), upstream)
}

test('a receipt forwards its call once [T5] [L4]', () =>
  withPorts(async (ports, upstream) => {
    const receipt = permitted()
    const forwarded = await forward(ports, policy, receipt)
    assert.equal(forwarded.kind, 'answer')
    await assert.rejects(forward(ports, policy, receipt), TypeError)
    assert.equal(upstream.requests.length, 1)
  }))

test('what only looks like a receipt forwards nothing [T5] [L4]', () =>
  withPorts(async (ports, upstream) => {
    const genuine = permitted()
    const { index } = genuine
    const forgeries: readonly unknown[] = [{ request: call, index }, Object.create(genuine), structuredClone({ index }), permit(grounds), null, undefined]
    for (const forgery of forgeries) await assert.rejects(forward(ports, policy, asReceipt(forgery)), TypeError)
    assert.equal(upstream.connections, 0)
  }))

test('what only looks like a permit gives no receipt [T5]', () => {
  const forgery = { kind: 'permit', grounds, approval: undefined }
  assert.equal(isPermit(forgery), false)
  assert.throws(() => receiptFor(call, asPermit(forgery), 7), TypeError)
})

/** The attacker is code that the compiler did not see: these casts are the attack. */
function asReceipt(value: unknown): Receipt {
  return value as Receipt
}

function asPermit(value: unknown): Permit {
  return value as Permit
}

function asPorts(ports: Pick<ForwardPorts, 'exchanges'>): ForwardPorts {
  return ports as ForwardPorts
}
