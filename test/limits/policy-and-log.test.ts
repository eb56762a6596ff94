import { compileCondition } from '../../packages/gateway/src/policy/condition.ts'
import { Approvals } from '../../packages/gateway/src/policy/approvals.ts'
import { Meter } from '../../packages/gateway/src/policy/meter.ts'
import { questionOf } from '../../packages/gateway/src/policy/question.ts'
import { QuotaCounters } from '../../packages/gateway/src/policy/quota-counters.ts'
import { compileQuota } from '../../packages/gateway/src/policy/quota.ts'
import { readFacts } from '../../packages/gateway/src/policy/read-paths.ts'
import { clip } from '../../packages/gateway/src/audit/entries.ts'
import { BatchWriter, readJournal } from '../../packages/gateway/src/audit/journal.ts'
import { RefusalTally } from '../../packages/gateway/src/audit/refusal-tally.ts'
import type { Json, RuleConfiguration } from '@sallyport/contract'
import { Bench, callBy, principalOf } from '../fixtures/access-request.ts'
import { newSigner } from '../fixtures/log-folder.ts'
import { testBound } from './bound.ts'

const principal = await principalOf('acme', 'bot')
const isCompiled = (text: string): boolean => compileCondition(text).kind === 'compiled'
function holds(text: string, args: Json): boolean {
  const compiled = compileCondition(text)
  const judgement = compiled.kind === 'compiled' && compiled.condition.evaluate(questionOf(callBy(principal, { args })), 0)
  return judgement && judgement.kind === 'value'
}
function factsOf(text: string, args: Json): Readonly<Record<string, unknown>> {
  const compiled = compileCondition(text)
  return compiled.kind === 'compiled' ? readFacts(compiled.condition.reads, questionOf(callBy(principal, { args }))) : {}
}

testBound('gateway/policy/condition.ts', 'expressionLengthMax', (size) => isCompiled(`action == "${'a'.repeat(size - 12)}"`))
testBound('gateway/policy/condition.ts', 'depthMax', (size) => isCompiled(`${'('.repeat(size)}true${')'.repeat(size)}`))
testBound('gateway/policy/condition-checker.ts', 'partsMax', (size) => isCompiled(`[${Array.from({ length: size - 3 }, () => '1').join(',')}] == args`))
testBound('gateway/policy/condition-language.ts', 'patternLengthMax', (size) => isCompiled(`action.matches("${'a'.repeat(size)}")`))
testBound('gateway/policy/condition-values.ts', 'elementsMax', (size) => {
  const object = Object.fromEntries(Array.from({ length: size }, (_, at) => [`m${at}`, 1]))
  const list = Array.from({ length: size }, () => 1)
  return holds('size(args.list) > 0', { list }) && holds('size(args.object) > 0', { object })
})
testBound('gateway/policy/meter.ts', 'workMax', (size) => {
  try {
    new Meter().spend(size)
    return true
  } catch {
    return false
  }
})
testBound('gateway/policy/read-paths.ts', 'factsMax', (size) => {
  const names = Array.from({ length: size }, (_, at) => `m${at}`)
  const facts = factsOf(names.map((name) => `args.${name} == 1`).join(' && '), Object.fromEntries(names.map((name) => [name, 1])))
  return Object.keys(facts).length === size
})
testBound('gateway/policy/read-paths.ts', 'factLengthMax', (size) => factsOf('args.a == "x"', { a: 'a'.repeat(size) })['args.a'] === 'a'.repeat(size))
testBound('gateway/policy/read-paths.ts', 'factsLengthMax', (size) => {
  const names = Array.from({ length: 17 }, (_, at) => `m${String(at).padStart(2, '0')}`)
  const left = size - 17 * 'args.m00'.length
  const args = Object.fromEntries(names.map((name, at) => [name, 'a'.repeat(at < 16 ? 240 : left - 16 * 240)]))
  return Object.keys(factsOf(names.map((name) => `args.${name} == "x"`).join(' || '), args)).length === 17
})
testBound('gateway/policy/decide.ts', 'rulesNamedMax', (size) => {
  const rules = Array.from({ length: size }, (_, at): RuleConfiguration => ({ id: `r${at}`, match: {}, then: 'permit' }))
  return new Bench(rules).decide(callBy(principal)).grounds.rules.length === size
})
testBound('gateway/policy/approvals.ts', 'pendingMax', (size) => {
  const approvals = new Approvals()
  for (let at = 0; at < size - 1; at += 1) approvals.ask(`a${at}`, { tenant: `t${at}`, agent: 'bot' }, 'digest', 1000, 0)
  return approvals.fullFor({ tenant: 'acme', agent: 'bot' }, 1) === undefined
})
for (const [name, requester] of [
  ['pendingPerAgentMax', () => ({ tenant: 'acme', agent: 'bot' })],
  ['pendingPerTenantMax', (at: number) => ({ tenant: 'acme', agent: `bot${at}` })],
] as const) {
  testBound('gateway/policy/approvals.ts', name, (size) => {
    const approvals = new Approvals()
    for (let at = 0; at < size - 1; at += 1) approvals.ask(`a${at}`, requester(at), `d${at}`, 1000, 0)
    return approvals.fullFor(requester(size), 1) === undefined
  })
}

const quota = compileQuota({ id: 'q', per: ['action'], requests: 1, window: '1h' })
function charged(counters: QuotaCounters, action: string): boolean {
  if (quota.kind !== 'compiled') return false
  const subject = { tenant: 'acme', agent: 'bot', upstream: 'crm', action }
  return counters.charge([quota.quota], subject, { requests: 1, tokens: 0, cost: 0 }, action, 0).kind === 'charged'
}
testBound('gateway/policy/quota-counters.ts', 'countersPerAgentMax', (size) => {
  const counters = new QuotaCounters()
  return Array.from({ length: size }, (_, at) => charged(counters, `a${at}`)).every(Boolean)
})
testBound('gateway/policy/quota-counters.ts', 'actionLengthMax', (size) => {
  const counters = new QuotaCounters()
  const [one, other] = ['a', 'b'].map((end) => charged(counters, `${'x'.repeat(size - 1)}${end}`))
  return one === true && other === true
})

testBound('gateway/audit/entries.ts', 'textMax', (size) => clip('a'.repeat(size)) === 'a'.repeat(size))
const { authenticate } = newSigner()
testBound('gateway/audit/journal.ts', 'batchEntriesMax', (size) => {
  const writer = new BatchWriter(authenticate)
  return Array.from({ length: size }, () => writer.add(Buffer.from('{}'))).every(Boolean)
})
testBound('gateway/audit/journal.ts', 'batchBytesMax', (size) => {
  const writer = new BatchWriter(authenticate)
  const piece = 60_000
  let left = size
  let isTaken = true
  for (; left > 2 + piece; left -= 2 + piece) isTaken &&= writer.add(Buffer.alloc(piece))
  isTaken &&= writer.add(Buffer.alloc(left - 2))
  return isTaken && readJournal(writer.finish(0), 0, authenticate).end === 'whole'
})
testBound('gateway/audit/refusal-tally.ts', 'refusalKindsMax', (size) => {
  const tally = new RefusalTally(1)
  return Array.from({ length: size }, (_, at) => tally.isSingle({ caller: { certificate: `c${at}` }, code: 'edge.malformed' }, 0)).every(Boolean)
})
testBound('gateway/audit/refusal-tally.ts', 'refusalWindowMs', (size) => {
  const tally = new RefusalTally(1)
  const kind = { caller: { certificate: 'c' }, code: 'edge.malformed' }
  tally.isSingle(kind, 0)
  tally.isSingle(kind, 0)
  return tally.closeWindows(size - 1).length === 0
})
