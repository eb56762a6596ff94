import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertReceiver, alertSecret, alertsTo } from '../fixtures/alert-receiver.ts'
import { configureRecording, happened, recorder } from '../fixtures/recording.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

for (const threads of [0, 2]) {
  test(`[L3] an agent whose runtime goes silent while it still calls tools is written down and alerted on, and so is its return, with ${threads} threads`, async () => {
    await using receiver = await alertReceiver()
    await using whole = await wholeGateway()
    whole.threads = threads
    await configureRecording(whole, { heartbeat: '100ms', missedHeartbeats: 3 }, alertsTo(receiver))
    await whole.admin('secret.set', { name: 'alert-receiver', value: alertSecret, person: 'oscar' })
    await whole.enrolAgent('quiet')
    const quiet = await recorder(whole, 'quiet')
    await quiet.open()
    assert.equal((await quiet.send(1, [happened('bridge.closed')], { isLast: true })).said, 'answered')
    const bot = await recorder(whole)
    await bot.open()
    const agent = await whole.agent()
    for (let beats = 0; beats < 5; beats += 1) {
      assert.equal((await bot.send(1, [])).said, 'answered')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    assert.equal(receiver.alerts.length, 0, 'a heartbeat in time is no silence')

    let isTold = false
    const alert = receiver.alertOf('runtime-silent').then((data) => {
      isTold = true
      return data
    })
    while (!isTold) {
      const answer = await agent.callHttp('api', { method: 'GET', path: '/things/1' })
      assert.ok(answer.kind === 'answer')
      answer.body.resume()
    }
    assert.deepEqual([(await alert).tenant, (await alert).agent], ['acme', 'bot'])
    assert.equal((await bot.send(1, [happened('bridge.opened')])).said, 'answered')
    const acts = (await whole.events()).flatMap((event) => (event.type === 'runtime' ? [`${event.caller.agent} ${event.act}`] : []))
    assert.deepEqual(acts, ['quiet opened', 'quiet closed', 'bot opened', 'bot silent', 'bot returned'], 'who signed off is not missed')
    assert.equal(receiver.alerts.length, 1)
    await whole.assertLogVerifies(whole.running.logKey)
  })
}
