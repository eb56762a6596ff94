import assert from 'node:assert/strict'
import fc from 'fast-check'
import { EventScreen } from '../../../packages/gateway/src/forward/screen/event-screen.ts'
import { TextScreen, type Screen } from '../../../packages/gateway/src/forward/screen/text-screen.ts'
import { compileResultRule, Screening } from '../../../packages/gateway/src/policy/results.ts'
import { githubToken } from '../../fixtures/findings.ts'
import { deltaEvents } from '../../fixtures/results.ts'
import { bytesOf, cuts, latin1, type Target } from '../target.ts'

const credential = githubToken('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ')
const { rule } = compileResultRule({ id: 'all', match: {}, detect: ['secret', 'personal'], then: 'redact' }, [])

/** What passes a screen, and how much was found. */
function pass(make: (screening: Screening) => Screen, pieces: readonly Uint8Array[]): { readonly text: string; readonly count: number } {
  let count = 0
  const screen = make(new Screening([rule], () => (count += 1)))
  const passed = [...pieces.map((piece) => screen.pass(piece)), screen.end()]
  return { text: passed.map((bytes) => latin1(bytes ?? new Uint8Array(0))).join(''), count }
}

function sameHoweverCut(make: (screening: Screening) => Screen, input: Uint8Array): void {
  const [whole, ...others] = cuts(input).map((pieces) => pass(make, pieces))
  for (const other of others) assert.deepEqual(other, whole)
  if (whole?.count === 0) assert.equal(whole.text, latin1(input))
  assert.ok(!whole?.text.includes(credential))
}

const parts = ['{"a":"', '","b":', credential, 'me@example.com', '4111111111111111', '4111 1111 1111 1111', '\\n', '\\u0067', '%67', 'word ', '"}', '\n']
const json = fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((texts) => bytesOf(texts.join('')))
const words = [
  ...parts,
  credential.slice(0, 20),
  credential.slice(20),
  Buffer.from(`x ${credential}`).toString('base64'),
  '\\',
  '%',
  '-----BEGIN PRIVATE KEY-----',
  'eyJ',
  '@',
]

/** A text passes the same however it is cut, unchanged when nothing is found, and never with a credential in it. */
export const textScreenTarget: Target = {
  name: 'screened-text',
  inputs: json,
  words,
  bytesMax: 512,
  check: (input) => sameHoweverCut((screening) => new TextScreen(screening, 'json'), input),
}

const event = fc.tuple(fc.constantFrom(...Object.values(deltaEvents)), fc.constantFrom(...words)).map(([write, text]) => write(text))

/** A stream of events likewise. */
export const eventScreenTarget: Target = {
  name: 'screened-events',
  inputs: fc.array(event, { maxLength: 8 }).map((events) => bytesOf(events.join(''))),
  words: [...words, 'data: ', '\n\n', '"delta":{"content":"', '"index":1', '"text":"'],
  bytesMax: 2048,
  check: (input) => sameHoweverCut((screening) => new EventScreen(screening), input),
}
