import assert from 'node:assert/strict'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { gatewayClient, identityInFolder, openLink, sessionInFolder, type GatewayLink } from '@sallyport/runtime'
import { heldSession } from '../../packages/runtime/src/session/session-files.ts'
import { clock } from '../fixtures/whole-gateway.ts'
import { sessionGate } from '../fixtures/whole-sessions.ts'

test('tickets of the shortest lifetime are replaced before they end, by two processes with one session', async () => {
  await using gate = await sessionGate({ sessions: { required: '*', ticket: '30s' } })
  const directory = join(gate.whole.folder, 'bot')
  const open = (): Promise<GatewayLink> =>
    openLink({
      identity: identityInFolder(directory),
      session: { store: sessionInFolder(directory), random: Math.random, report: (trouble) => assert.fail(JSON.stringify(trouble)) },
      clock,
      report: (failure) => assert.fail(String(failure)),
    })
  const grant = await gate.claim(await gate.held())
  const store = sessionInFolder(directory)
  await store.underLock(() => store.keep(heldSession(grant, Date.now())))
  const links = [await open(), await open()]
  try {
    const said = new Set<string>()
    for (const endsAt = Date.now() + 70_000; Date.now() < endsAt; await pause(50))
      for (const link of links) {
        const answer = await gatewayClient(link).callHttp('api', { method: 'GET', path: '/things/1' })
        said.add(answer.kind === 'refused' ? answer.problem.code : 'answered')
        if (answer.kind !== 'refused') await text(answer.body)
      }
    assert.deepEqual([...said], ['answered'])
    const refreshes = await gate.refreshes()
    assert.ok(refreshes >= 2 && refreshes <= 5, `${refreshes} refreshes by two processes in seventy seconds`)
  } finally {
    await Promise.all(links.map((link) => link.close()))
  }
})
