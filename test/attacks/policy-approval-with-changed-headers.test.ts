// What is approved harmless is repeated with the headers or the `_meta` that make it harmful.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, callBy, principalOf, type CallParts } from '../fixtures/access-request.ts'

const attacker = await principalOf('acme', 'attacker')

function approve(parts: CallParts): Bench {
  const bench = new Bench([{ id: 'ask', match: {}, then: 'hold' }])
  const held = bench.decide(callBy(attacker, parts))
  assert.ok(held.kind === 'hold')
  bench.state.approvals.answer(held.approval.id, 'approved', 'ana', bench.nowMs)
  return bench
}

test('[T14] an approval for a dry run over HTTP does not open the real run', () => {
  const dry: CallParts = { target: '/payments', headers: [['x-dry-run', 'true'], ['x-account', 'own']] } // prettier-ignore
  for (const headers of [
    [
      ['x-dry-run', 'false'],
      ['x-account', 'own'],
    ],
    [
      ['x-dry-run', 'true'],
      ['x-account', 'victim'],
    ],
    [],
  ] as const)
    // prettier-ignore
    assert.equal(approve(dry).ask(callBy(attacker, { ...dry, headers })), 'hold')
  assert.equal(approve(dry).ask(callBy(attacker, dry)), 'permit')
})

test('[T14] an approval for a dry run over MCP does not open the real run', () => {
  const dry: CallParts = { args: { amount: 5 }, meta: { dryRun: true } }
  for (const meta of [{ dryRun: false }, { dryRun: true, 'x/tenant': 'victim' }, {}]) assert.equal(approve(dry).ask(callBy(attacker, { ...dry, meta })), 'hold')
  assert.equal(approve(dry).ask(callBy(attacker, { ...dry, messageId: 9 })), 'permit')
})
