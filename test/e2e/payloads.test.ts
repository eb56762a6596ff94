import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capturing, cited, configureCapture, everythingSealed, firstCited, payloadFiles, refund, startedCapturing } from '../fixtures/captured.ts'
import { operator } from '../fixtures/operator.ts'

/** What is kept of the arguments of calls, from the call to the command that destroys it. */

for (const threads of [0, 2]) {
  test(`with ${threads} threads, sealed arguments are kept, read by the operator, erased, and each of these is in a log that verifies`, async () => {
    await using whole = await startedCapturing(everythingSealed, threads)
    const { logKey } = whole.running
    assert.equal(await refund(whole, { amount: 75.5, note: 'for Ann' }), '200')
    const { index, digest } = await firstCited(whole)
    assert.equal((await payloadFiles(whole)).length, 1)

    const read = await operator(whole, ['log', 'payload', String(index), '--json'])
    assert.equal(read.code, 0, read.stderr)
    const { payload } = JSON.parse(read.stdout)
    assert.deepEqual(payload, {
      upstream: 'payments',
      action: 'create_refund',
      resource: '/refunds',
      arguments: { path: {}, query: {}, body: { amount: 75.5, note: 'for Ann' } },
    })

    assert.match((await operator(whole, ['explain', String(index)])).stdout, /arguments were kept, sealed/)

    const erased = await operator(whole, ['log', 'erase', String(index), '--reason', 'Ann asked', '--yes', '--json'])
    assert.deepEqual([erased.code, JSON.parse(erased.stdout)], [0, { kind: 'erased', erased: 1 }], erased.stderr)
    assert.deepEqual(await payloadFiles(whole), [])
    const acts = (await whole.events()).flatMap((event) => (event.type === 'admin' && event.act.startsWith('payload.') ? [event] : []))
    assert.deepEqual(
      acts.map(({ act, person, subject }) => ({ act, person, subject })),
      [
        { act: 'payload.read', person: 'alice', subject: { entry: index, digest } },
        { act: 'payload.erased', person: 'alice', subject: { entry: index, digest, reason: 'Ann asked' } },
      ],
    )
    await whole.stop()
    await whole.assertLogVerifies(logKey)
    assert.deepEqual(whole.faults, [])
  })
}

test('erasing twice, an entry without arguments and an entry that there is not have answers of their own', async () => {
  await using whole = await startedCapturing()
  assert.equal(await refund(whole, { amount: 1 }), '200')
  const { index } = await firstCited(whole)
  const erase = (entry: number): ReturnType<typeof operator> => operator(whole, ['log', 'erase', String(entry), '--yes'])
  assert.equal((await erase(index)).code, 0)
  const again = await erase(index)
  assert.match(again.stderr, /are gone: "sallyport log search --act payload\.erased"/)
  assert.match((await erase(0)).stderr, /no arguments were kept/)
  assert.match((await erase(9999)).stderr, /has no entry 9999/)
  assert.deepEqual([again.code, (await erase(0)).code, (await erase(9999)).code], [1, 1, 1])
  assert.match((await operator(whole, ['log', 'payload', String(index)])).stderr, /are gone/)
})

test('nothing is erased without --yes, and everything of an agent, of a tenant or of a time is with it', async () => {
  await using whole = await startedCapturing()
  await whole.enrolAgent('other')
  for (const amount of [1, 2]) assert.equal(await refund(whole, { amount }), '200')
  assert.equal(await refund(whole, { amount: 3 }, 'other'), '200')

  const trial = await operator(whole, ['log', 'erase', '--agent', 'acme/bot', '--json'])
  assert.deepEqual([trial.code, JSON.parse(trial.stderr).error.left], [64, 2])
  assert.equal((await payloadFiles(whole)).length, 3)
  assert.deepEqual(JSON.parse((await operator(whole, ['log', 'erase', '--agent', 'acme/bot', '--before', '1h', '--yes', '--json'])).stdout), {
    kind: 'erased',
    erased: 0,
  })
  assert.match((await operator(whole, ['log', 'erase', '--agent', 'acme/bot', '--yes'])).stdout, /erased the arguments of 2 calls/)
  assert.equal((await payloadFiles(whole)).length, 1)
  assert.match((await operator(whole, ['log', 'erase', '--tenant', 'globex', '--yes'])).stdout, /nothing of that is kept/)
  assert.match((await operator(whole, ['log', 'erase', '--tenant', 'acme', '--yes'])).stdout, /erased the arguments of 1 call\b/)
  assert.deepEqual(await payloadFiles(whole), [])
  for (const words of [['3', '--agent', 'acme/bot'], [], ['--agent', 'acme/bot', '--tenant', 'acme']])
    assert.equal((await operator(whole, ['log', 'erase', ...words, '--yes'])).code, 64, words.join(' '))
})

test('of the rules that match, the one that keeps least counts, and a reload takes them over', async () => {
  const capture = {
    default: 'sealed',
    rules: [
      { match: { upstream: 'payments', action: 'create_*' }, then: 'digest' },
      { match: { agent: 'quiet' }, then: 'off' },
    ],
  }
  await using whole = await startedCapturing(capture)
  await whole.enrolAgent('quiet')
  for (const agent of ['bot', 'bot', 'quiet']) assert.equal(await refund(whole, { amount: 1 }, agent), '200')
  assert.equal(await refund(whole, { amount: 2 }), '200')
  const payloads = (await whole.events()).flatMap((event) => (event.type === 'decision' ? [event.payload] : []))
  assert.deepEqual(
    payloads.map((payload) => payload?.capture),
    ['digest', 'digest', undefined, 'digest'],
  )
  assert.equal(payloads[0]?.digest, payloads[1]?.digest)
  assert.notEqual(payloads[0]?.digest, payloads[3]?.digest)
  assert.deepEqual(await payloadFiles(whole), [])

  await configureCapture(whole, everythingSealed)
  assert.equal((await operator(whole, ['reload'])).code, 0)
  assert.equal(await refund(whole, { amount: 1 }), '200')
  assert.equal((await cited(whole)).length, 1)
})

test('what is older than capture.keep is erased, and the log counts it', async () => {
  await using whole = await startedCapturing()
  for (const amount of [1, 2]) assert.equal(await refund(whole, { amount }), '200')
  await whole.stop()
  await configureCapture(whole, { ...everythingSealed, keep: '1ms' })
  await whole.start()
  const { index } = await firstCited(whole)
  assert.match((await operator(whole, ['log', 'payload', String(index)])).stderr, /are gone/) // answered once all was compared
  while ((await payloadFiles(whole)).length > 0) await new Promise((resolve) => setImmediate(resolve))
  const act = (await whole.events()).findLast((event) => event.type === 'admin' && event.act === 'payload.erased')
  assert.ok(act?.type === 'admin')
  assert.deepEqual([act.person, act.subject['count'], act.subject['reason']], [undefined, 2, 'capture.keep'])
})

test('denied and held calls are kept as permitted ones are, and calls without arguments not at all', async () => {
  const rules = [
    { id: 'small', match: { upstream: 'payments' }, when: 'args.body.amount < 10.0', then: 'permit' },
    { id: 'large', match: { upstream: 'payments' }, when: 'args.body.amount > 100.0', then: 'hold' },
  ]
  await using whole = await startedCapturing(everythingSealed, undefined, rules)
  assert.deepEqual(
    [await refund(whole, { amount: 1 }), await refund(whole, { amount: 50 }), await refund(whole, { amount: 500 })],
    ['200', 'policy.no-rule', 'policy.approval-required'],
  )
  assert.equal((await cited(whole)).length, 3)
  await (await whole.agent()).whoami()
  assert.equal((await cited(whole)).length, 3)
  assert.equal((await payloadFiles(whole)).length, 3)
})

test('entries leave out what conditions read of the arguments where the configuration says so', async () => {
  const rules = [{ id: 'small', match: { upstream: 'payments' }, when: 'args.body.amount < 10.0', then: 'permit' }]
  await using whole = await startedCapturing(everythingSealed, undefined, rules)
  assert.equal(await refund(whole, { amount: 7 }), '200')
  await configureCapture(whole, { ...everythingSealed, facts: false }, rules)
  assert.equal((await operator(whole, ['reload'])).code, 0)
  assert.equal(await refund(whole, { amount: 7 }), '200')
  const facts = (await whole.events()).flatMap((event) => (event.type === 'decision' ? [event.facts] : []))
  assert.deepEqual(facts, [{ 'args.body.amount': 7 }, undefined])
})

test('the configuration says what is wrong with capture, and where', async () => {
  await using whole = await capturing({ default: 'sealed', rules: [{ match: { upstream: 'paymnts' }, then: 'off' }], redact: ['personal/credit-crad'] })
  const { code, stderr } = await operator(whole, ['validate'])
  assert.equal(code, 78)
  assert.match(stderr, /there is no upstream 'paymnts'/)
  assert.match(stderr, /there is no detector 'personal\/credit-crad'/)
})
