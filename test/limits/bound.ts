import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitInCode } from '../docs/limits-in-code.ts'

/**
 * Tests that a bound holds where it stands and nowhere else: `isWithin` is true one below the bound and at it, and false one above. The value is the one in the
 * code. `docs/limits.md` names the test by the constant.
 */
export function testBound(file: string, name: string, isWithin: (size: number) => boolean | Promise<boolean>): void {
  const { value } = limitInCode(process.cwd(), file, name)
  test(`${name} of ${file}: ${value} is within it, ${value + 1} is not`, async () => {
    assert.equal(await isWithin(value - 1), true, `${value - 1} is refused`)
    assert.equal(await isWithin(value), true, `${value} is refused`)
    assert.equal(await isWithin(value + 1), false, `${value + 1} is let through`)
  })
}

/** The other way round: at least so much is needed. */
export function testLeast(file: string, name: string, isWithin: (size: number) => boolean): void {
  const { value } = limitInCode(process.cwd(), file, name)
  test(`${name} of ${file}: ${value} is enough, ${value - 1} is not`, () => {
    assert.equal(isWithin(value - 1), false)
    assert.equal(isWithin(value), true)
    assert.equal(isWithin(value + 1), true)
  })
}
