import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LogEvent } from '@sallyport/contract'
import { Bench, callBy, policyOf, principalOf } from '../../../../test/fixtures/access-request.ts'
import { toolDefinition, type ToolDefinition } from '../access/mcp/tool-definition.ts'
import { questionOf } from './question.ts'
import { PolicyState, replay } from './state.ts'
import { heldPerToolMax, ToolPins, toolsPerUpstreamMax, type ToolChange } from './tool-pins.ts'

const owner = { tenant: 'acme', upstream: 'payments' }
const source = { ...owner, revision: 'first' }
const time = '2026-03-01T12:00:00.000Z'

function define(name: string, description: string): ToolDefinition {
  return toolDefinition({ name, description, inputSchema: { type: 'object' } }) ?? assert.fail()
}

const act = fc.record({
  tenant: fc.constantFrom('acme', 'globex'),
  tool: fc.constantFrom('one', 'two', 'three'),
  version: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
  kind: fc.constantFrom('first' as const, 'see' as const, 'see' as const, 'accept' as const),
})

test('replaying the log gives the tools that the next decision sees', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const live = new ToolPins()
      const log: LogEvent[] = []
      const take = (change: ToolChange): void => {
        live.apply(change)
        log.push({ v: 1, type: 'tool', time, ...change })
      }
      for (const { tenant, tool, version, kind } of acts) {
        const of = { tenant, upstream: 'payments' }
        const definition = define(tool, version)
        if (kind === 'accept') {
          if (live.find(of, tool)?.held.includes(definition.digest)) take({ ...of, act: 'accepted', tool, digest: definition.digest, person: 'ana' })
          continue
        }
        const change = live.step(of, definition, kind === 'first' ? 'pinned' : 'held')
        if (change) take(change)
        const known = live.find(of, tool)
        assert.ok(known && known.held.length <= heldPerToolMax)
        assert.equal(live.isOffered(of, definition), known.accepted === definition.digest && known.held.length === 0)
      }
      const replayed = new PolicyState()
      for (const event of log) replay(replayed, event, policyOf([]))
      assert.deepEqual(replayed.tools.all(), live.all())
    }),
  )
})

test('there is room for so many tools, and what finds none is not offered', () => {
  const pins = new ToolPins()
  for (let index = 0; index < toolsPerUpstreamMax; index += 1) pins.apply(pins.step(owner, define(`tool_${index}`, ''), 'pinned') ?? assert.fail())
  const more = define('one_more', '')
  assert.equal(pins.step(owner, more, 'held'), undefined)
  assert.equal(pins.isOffered(owner, more), false)
  assert.equal(pins.all().length, toolsPerUpstreamMax)
})

test('a listing that was overtaken by a change does not count as fresh', () => {
  const pins = new ToolPins()
  const began = pins.changes(owner)
  pins.mayHaveChanged(owner)
  pins.refresh(source, began)
  assert.equal(pins.isFresh(source), false)
  pins.refresh(source, pins.changes(owner))
  assert.equal(pins.isFresh(source), true)
})

test('neither a permit nor the approval of a person opens a tool whose definition is not the accepted one', async () => {
  const principal = await principalOf('acme', 'bot')
  for (const then of ['permit', 'hold'] as const) {
    const bench = new Bench([{ id: 'refunds', match: { upstream: 'payments' }, then }])
    const { tools, approvals } = bench.state
    const call = callBy(principal, { tools: 'pinned' })
    const codeOf = (): string => {
      const decision = bench.decide(call)
      return decision.kind === 'deny' ? decision.problem.code : decision.kind
    }
    assert.equal(codeOf(), 'policy.tool-unlisted')
    tools.apply(tools.step(owner, define('create_refund', 'Refunds'), 'pinned') ?? assert.fail())
    assert.equal(codeOf(), 'policy.tool-unlisted', 'after a start the tools must be listed first')
    const { revision = '' } = questionOf(call).pinned ?? {}
    tools.refresh({ ...owner, revision: 'before' }, tools.changes(owner))
    assert.equal(codeOf(), 'policy.tool-unlisted', 'what another configuration listed may be another server')
    tools.refresh({ ...owner, revision }, tools.changes(owner))
    const first = bench.decide(call)
    assert.equal(first.kind, then)
    if (first.kind === 'hold') approvals.answer(first.approval.id, 'approved', 'ana', bench.nowMs)
    tools.apply(tools.step(owner, define('create_refund', 'Refunds to evil'), 'held') ?? assert.fail())
    assert.equal(codeOf(), 'policy.tool-changed')
    assert.equal(bench.decide(callBy(principal, { tools: 'unpinned' })).kind, 'permit')
  }
})
