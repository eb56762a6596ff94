import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectors } from '../../packages/gateway/src/policy/detect/catalog.ts'
import { scan } from '../../packages/gateway/src/policy/detect/scan.ts'
import { cpuMs, scanInPieces, slowTexts } from '../fixtures/slow-texts.ts'

test('a MiB of any text takes no more than four times its share of what 64 KiB take', () => {
  for (const part of slowTexts) {
    const text = part.repeat(Math.ceil(1_048_576 / part.length))
    const beginning = text.slice(0, 65_536)
    scanInPieces(beginning, 16_384)
    const base = cpuMs(() => scanInPieces(beginning, 16_384))
    const whole = cpuMs(() => scanInPieces(text, 16_384))
    const atOnce = cpuMs(() => scan(text, 0, true, detectors))
    assert.ok(
      Math.max(whole, atOnce) < (base + 5) * 16 * 4,
      `${JSON.stringify(part.slice(0, 30))}: ${base} ms for 64 KiB, ${whole} ms for 1 MiB, ${atOnce} ms at once`,
    )
  }
})
