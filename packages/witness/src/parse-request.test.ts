import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRequest } from './parse-request.ts'

/** The example of the specification. */
const example = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`

test('the example of the specification is read', () => {
  const request = parseRequest(Buffer.from(example)) ?? assert.fail()
  assert.deepEqual([request.oldSize, request.proof.length, request.note.signatures.length], [20_852_014, 4, 2])
  assert.deepEqual([request.checkpoint.origin, request.checkpoint.size], ['example.com/behind-the-sofa', 20_852_163])
})

test('a submission that is cut anywhere is read as far as whole signatures go, or not at all', () => {
  const bytes = Buffer.from(example)
  const first = bytes.lastIndexOf('\u2014')
  for (let length = 0; length < bytes.length; length += 1) {
    const request = parseRequest(bytes.subarray(0, length))
    if (length === first) assert.equal(request?.note.signatures.length, 1)
    else assert.equal(request, undefined, `${length}`)
  }
})

test('arbitrary bytes never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: example.length }), (bytes, at) => {
      const spliced = Buffer.concat([Buffer.from(example).subarray(0, at), bytes, Buffer.from(example).subarray(at)])
      for (const body of [bytes, spliced]) assert.doesNotThrow(() => parseRequest(body))
    }),
  )
})
