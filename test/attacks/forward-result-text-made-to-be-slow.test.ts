// CWE-1333: what is looked through comes from upstreams and agents, who can write texts that make a pattern work for minutes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuMs, scanInPieces, slowTexts } from '../fixtures/slow-texts.ts'

test('the work for any text grows no faster than its length', () => {
  const short = 4096
  const ratio = 8
  for (const part of slowTexts) {
    const text = part.repeat(Math.ceil((short * ratio) / part.length))
    scanInPieces(text.slice(0, short), 4096) // the first time is slower than all others
    const base = cpuMs(() => scanInPieces(text.slice(0, short), 4096))
    const long = cpuMs(() => scanInPieces(text, 4096))
    assert.ok(long < (base + 5) * ratio * 4, `${JSON.stringify(part.slice(0, 30))}: ${base} ms, then ${long} ms for ${ratio} times as much`)
  }
})

test('the work for a text that comes whole grows no faster either', () => {
  for (const part of slowTexts) {
    const text = part.repeat(Math.ceil(65_536 / part.length))
    const base = cpuMs(() => scanInPieces(text.slice(0, 8192), 8192))
    const long = cpuMs(() => scanInPieces(text, text.length))
    assert.ok(long < (base + 5) * 8 * 4, `${JSON.stringify(part.slice(0, 30))}: ${base} ms, then ${long} ms for 8 times as much`)
  }
})

test('a text in single bytes costs no more than its length times a constant', () => {
  for (const part of ['A', `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(5000)}`, 'ab\n', '4111 ']) {
    const text = part.repeat(Math.ceil(6000 / part.length)).slice(0, 6000)
    const half = cpuMs(() => scanInPieces(text.slice(0, 3000), 1))
    const whole = cpuMs(() => scanInPieces(text, 1))
    assert.ok(whole < (half + 50) * 4, `${JSON.stringify(part.slice(0, 30))}: ${half} ms, then ${whole} ms`)
  }
})
