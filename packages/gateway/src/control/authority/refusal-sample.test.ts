import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusalSample, sampledKindsMax, sampleWindowMs, toldSinglyMax } from './refusal-sample.ts'

test('the first few refusals of a kind are told and the rest counted, window by window', () => {
  const sample = new RefusalSample()
  const told = (kind: string, nowMs: number, times: number): number => Array.from({ length: times }, () => sample.isTold(kind, nowMs)).filter(Boolean).length
  assert.equal(told('used token', 1000, 8), toldSinglyMax)
  assert.equal(told('bad request', 1001, 1), 1)
  assert.deepEqual(sample.takeCounts(1000 + sampleWindowMs - 1), [])
  assert.deepEqual(sample.takeCounts(1000 + sampleWindowMs), [{ kind: 'used token', count: 3 }])
  assert.equal(told('used token', 1000 + sampleWindowMs, 8), toldSinglyMax)
})

test('a flood of kinds is told and remembered as one', () => {
  const sample = new RefusalSample()
  const told = Array.from({ length: 10_000 }, (_, index) => sample.isTold(`kind ${index}`, 0)).filter(Boolean).length
  assert.equal(told, sampledKindsMax + toldSinglyMax)
  assert.deepEqual(sample.takeCounts(sampleWindowMs), [{ kind: 'others', count: 10_000 - told }])
})
