/** A second process on the same store; writes a line for each thing that the store has promised it. */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { parseAgentName, parseTenantName, parseThumbprint } from '@sallyport/contract'
import type { AgentKey } from '../../../packages/gateway/src/control/authority/agent-store.ts'
import { openAgentStore } from '../../fixtures/agent-stores.ts'

const [, , driver = '', place = '', work, name = ''] = process.argv
const { store, close } = await openAgentStore(driver, place)
if (work === 'race') await race(name)
else await enrolAndRevoke(name)
await close()

async function race(side: string): Promise<void> {
  for (const { tenant, agent } of await store.agents()) {
    if ((await store.enrol(agent, certificate({ tenant, agent }, `${side} ${agent}`))) === 'recorded') promise(agent)
  }
}

async function enrolAndRevoke(prefix: string): Promise<void> {
  for (let index = 0; ; index += 1) {
    const own = agent(`${prefix}-${index}`)
    await store.registerAgent(own, 0)
    await store.keepToken(own, own.agent, 1000)
    await store.enrol(own.agent, certificate(own, own.agent))
    await store.revokeAgent(own, 1)
    promise(own.agent)
  }
}

function promise(line: string): void {
  writeSync(1, `${line}\n`)
}

function certificate(own: AgentKey, text: string) {
  const thumbprint = parseThumbprint(createHash('sha256').update(text).digest('base64url'))
  if (!thumbprint) throw new Error('no thumbprint')
  return { ...own, thumbprint, issuer: thumbprint, issuedAtMs: 0, notAfterMs: 1_000_000 }
}

function agent(text: string): AgentKey {
  const [tenant, parsed] = [parseTenantName('acme'), parseAgentName(text)]
  if (!tenant || !parsed) throw new Error('no name')
  return { tenant, agent: parsed }
}
