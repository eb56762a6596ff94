/** A second process on the same store; writes a line for each handle that the store has promised it. */
import { writeSync } from 'node:fs'
import { sessionTermsDefault } from '../../../packages/gateway/src/control/sessions/session-record.ts'
import { openSessionStore } from '../../fixtures/session-stores.ts'
import { proofOf } from '../../simulation/names.ts'

const [, , driver, place = '', first = ''] = process.argv
if (driver !== 'sqlite' && driver !== 'postgres') throw new Error(`no driver ${driver}`)
const { store } = await openSessionStore(driver, place, sessionTermsDefault)
let shown = first
for (let index = 2; ; index += 1) {
  const verdict = await store.gate(shown, proofOf('bot', 'bot-key'))
  if (verdict.kind !== 'fly') throw new Error(verdict.kind)
  shown = `h${index}`
  const landed = { handle: { digest: shown, sealed: Buffer.from(shown) }, sealedToken: Buffer.from(shown), isTokenNew: true, scopes: [] }
  if ((await store.commitFlight(verdict.flight, landed)) !== 'landed') throw new Error('fenced')
  writeSync(1, `${shown}\n`)
}
