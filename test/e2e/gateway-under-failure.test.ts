import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import { spawnGateway, wholeGateway } from '../fixtures/whole-gateway.ts'

test('a disk that takes no more of the log stops every call, says so, and loses nothing that was acknowledged [L1] [L4]', async () => {
  await using whole = await wholeGateway()
  await whole.configure([{ id: 'things', match: { upstream: 'api' }, then: 'permit' }])
  await whole.start()
  await whole.enrolAgent()
  await whole.stop()
  // 200 KiB for any file: the journal, which is one file here, comes up against it after some hundred calls.
  await using limited = await spawnGateway(whole, ['bash', '-c', 'ulimit -f 200; exec "$0" "$@"'])
  const { child, addresses, logKey } = limited
  const exited = once(child, 'exit')
  const agent = await whole.agent('bot', addresses.agents)
  const path = `/things/1?${'x'.repeat(900)}=1`
  let refused: string | undefined
  let answered = 0
  while (refused === undefined) {
    const answer = await agent.callHttp('api', { method: 'GET', path })
    if (answer.kind === 'refused') refused = answer.problem.code
    else {
      answered += 1
      for await (const piece of answer.body) void piece
    }
  }
  assert.equal(refused, 'audit.unavailable')
  const seen = whole.seen.length
  for (let index = 0; index < 10; index += 1) assert.equal((await agent.callHttp('api', { method: 'GET', path })).kind, 'refused')
  assert.equal(whole.seen.length, seen, 'a call was forwarded without its entry')
  assert.equal((await fetch(`http://${addresses.operations}/readyz`)).status, 503)
  child.kill('SIGTERM')
  await exited
  await whole.stop()

  await whole.start()
  assert.equal((await (await whole.agent()).callHttp('api', { method: 'GET', path: '/things/2' })).kind, 'answer')
  await whole.stop()
  await whole.assertLogVerifies(logKey)
  const permitted = (await whole.events()).filter((event) => event.type === 'decision' && event.upstream === 'api' && event.decision === 'permit').length
  assert.ok(permitted >= whole.seen.length && whole.seen.length > answered)
})

test('a locked database holds nothing back unseen: what needs it is refused, the rest goes on, and it heals', async () => {
  await using whole = await wholeGateway()
  await whole.configure([
    { id: 'ask', match: { upstream: 'api' }, when: 'has(args.query.ask)', then: 'hold' },
    { id: 'things', match: { upstream: 'api' }, then: 'permit' },
  ])
  await whole.start()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const other = new DatabaseSync(join(whole.data, 'state.db'))
  other.exec('BEGIN IMMEDIATE')
  const held = await agent.callHttp('api', { method: 'GET', path: '/things/1?ask=1' })
  assert.ok(held.kind === 'refused' && held.problem.code === 'audit.unavailable')
  assert.match(JSON.stringify(await whole.admin('agent.add', { tenant: 'acme', agent: 'other', person: 'alice' })), /database is locked/)
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  other.exec('ROLLBACK')
  other.close()

  // The same call again: its approval was asked for once, and now its arguments can be shown.
  const again = await agent.callHttp('api', { method: 'GET', path: '/things/1?ask=1' })
  assert.ok(again.kind === 'refused' && again.problem.approval)
  assert.match(JSON.stringify(await whole.admin('approvals.answer', { id: again.problem.approval.id, answer: 'approved', person: 'alice' })), /"approved"/)
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1?ask=1' })).kind, 'answer')
  assert.match(JSON.stringify(await whole.admin('agent.add', { tenant: 'acme', agent: 'other', person: 'alice' })), /token/)
})
