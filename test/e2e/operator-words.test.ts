// What commands say: sentences and tables to a person, documented JSON to a program, failures in one shape.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { operator } from '../fixtures/operator.ts'
import { wholeGateway, type WholeGateway } from '../fixtures/whole-gateway.ts'

const permitThings = { id: 'things', match: { upstream: 'api', action: 'get_thing' }, when: 'args.path.id != "2"', then: 'permit' }
const noThirds = { id: 'no-thirds', match: { upstream: 'api', action: 'get_thing' }, when: 'args.path.id == "3"', then: 'deny' }
const holdThings = { id: 'ask', match: { upstream: 'api', action: 'get_thing' }, then: 'hold' }

async function running(rules: readonly object[] = [permitThings, noThirds]): Promise<WholeGateway> {
  const whole = await wholeGateway()
  await whole.configure(rules)
  await whole.start()
  return whole
}

async function said(whole: WholeGateway, args: readonly string[], input?: string): Promise<string> {
  const ran = await operator(whole, args, input === undefined ? {} : { input })
  assert.deepEqual([ran.code, ran.stderr], [0, ''], args.join(' '))
  return ran.stdout
}

const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`

test('a person gets tables and sentences with times that can be read, never JSON', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  await said(whole, ['agent', 'add', 'acme/second'])
  assert.equal(await said(whole, ['secret', 'set', 'crm'], 'a-credential-of-the-api\n'), 'set crm\n')
  await said(whole, ['block', 'acme/second'])
  assert.match(
    await said(whole, ['agent', 'list']),
    new RegExp(`^AGENT        STANDING  BLOCKED  REGISTERED\\nacme/bot     active    no       ${time}\\nacme/second  active    yes      ${time}\\n$`),
  )
  assert.match(await said(whole, ['secret', 'list']), new RegExp(`^SECRET  OF           VERSION  SET\\ncrm     all tenants  1        ${time}\\n$`))
  assert.match(await said(whole, ['status']), /^ready +yes\n[^]*\nblocked +acme\/second\n$/)
  assert.match(await said(whole, ['ca', 'list']), new RegExp(`^ROOT +ENDS +SIGNS AGENTS\\n[\\w-]{43}  ${time}  yes\\n$`))
  assert.match(
    await said(whole, ['agent', 'show', 'acme/bot']),
    new RegExp(`^acme/bot is active\\.\\nCERTIFICATE .*\\n[\\w-]{43}  ${time}  ${time}  no       an enrolment\\n$`),
  )
  assert.equal(await said(whole, ['approvals']), 'Nothing waits for a person.\n')
  assert.match(
    await said(whole, ['log', 'tail', '-n', '2']),
    new RegExp(
      `^ +\\d+  ${time}  admin         secret\\.set .*\\n +\\d+  ${time}  admin         block\\.set  agent=second  scope=agent  tenant=acme  by alice\\n$`,
    ),
  )
  for (const args of [
    ['reload'],
    ['unblock', 'acme/second'],
    ['agent', 'revoke', 'acme/second'],
    ['agent', 'reinstate', 'acme/second'],
    ['secret', 'remove', 'crm'],
  ])
    assert.doesNotMatch(await said(whole, args), /[{}]/, args.join(' '))
})

test('explain tells the rule with its condition, the facts and what came of the call, in the order of the log', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  const agent = await whole.agent()
  const call = async (id: string): Promise<string> => {
    const answer = await agent.callHttp('api', { method: 'GET', path: `/things/${id}` })
    return answer.kind === 'refused' ? answer.problem.instance : ''
  }
  const denied = await said(whole, ['explain', await call('3')])
  assert.match(denied, /DENIED by rule no-thirds \(when args\.path\.id == "3"\) \(policy\.denied\): acme\/bot asked api for get_thing \/things\/\{id\}\./)
  assert.match(denied, /conditions read args\.path\.id = "3"/)
  await call('1')
  await agent.close()
  await whole.stop()
  const permit = (await whole.events()).findIndex((event) => event.type === 'decision' && event.decision === 'permit')
  assert.match(await said(whole, ['explain', String(permit)]), /PERMITTED by rule things[^]*\n.*\n  answered \(status 200; \d+ ms\), of entry \d+\n$/)
  const records = JSON.parse(await said(whole, ['explain', String(permit), '--json']))
  assert.deepEqual(
    records.map(({ event }: { readonly event: { readonly type: string } }) => event.type),
    ['decision', 'outcome'],
  )
})

test('explain of an approval tells who asked, who answered and how it was used', async () => {
  await using whole = await running([holdThings])
  await whole.enrolAgent()
  const agent = await whole.agent()
  const held = await agent.callHttp('api', { method: 'GET', path: '/things/1' })
  assert.ok(held.kind === 'refused' && held.problem.approval)
  const { id } = held.problem.approval
  assert.match(
    await said(whole, ['approvals']),
    new RegExp(`^${id}  acme/bot asks for api get_thing .*\\n  held by ask, until ${time}; answer with: sallyport approve ${id}`),
  )
  assert.match(await said(whole, ['approve', id, '-m', 'seen']), /^approved .*: the agent repeats the call\n$/)
  assert.equal(await said(whole, ['approvals']), 'Nothing waits for a person.\n')
  assert.match(await said(whole, ['approvals', '--all']), /approved by alice/)
  assert.equal((await agent.callHttp('api', { method: 'GET', path: '/things/1' })).kind, 'answer')
  assert.match(await said(whole, ['approvals', '--all']), /; approved by alice, and used\n/)
  await agent.close()
  await whole.stop()
  assert.match(
    await said(whole, ['explain', id]),
    /HELD for a person by rule ask[^]*approved by alice, who notes: seen[^]*PERMITTED by rule ask[^]*answered \(status 200/,
  )
})

test('up says where it listens, each address by what it is for', async () => {
  await using whole = await wholeGateway()
  await whole.configure([])
  const address = String.raw`127\.0\.0\.1:\d+`
  assert.match(
    (await operator(whole, ['up'])).stdout,
    new RegExp(`^agents +https://${address}\\nenrolment +${address}\\noperations +${address}\\nlog readers  off\\nlog key +agents.example/sallyport\\+`),
  )
})

test('the list of roots says what they are and when they end, and nothing else', async () => {
  await using whole = await running()
  const { roots } = JSON.parse(await said(whole, ['ca', 'list', '--json']))
  assert.deepEqual(roots.map(Object.keys), [['fingerprint', 'notAfterMs']])
})

test('every failure has one JSON shape with --json, and one exit code by what it is', async () => {
  await using whole = await running()
  const nowhere = join(whole.folder, 'nowhere')
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [['log', 'tail', '--no-such-option'], 64, 'cli.usage'],
    [['log', 'search', '--type', 'decisions'], 64, 'cli.usage'],
    [['log', 'search', '--code', 'policy.no-rules'], 64, 'cli.usage'],
    [['agent', 'add', 'Acme'], 64, 'cli.usage'],
    [['block'], 64, 'cli.usage'],
    [['secret', 'set', 'crm'], 64, 'cli.usage'],
    [['secret', 'set', 'Not A Name'], 64, 'cli.usage'],
    [['log', 'tail', '--data', nowhere], 78, 'cli.setup'],
    [['validate', '-c', nowhere], 78, 'cli.setup'],
    [['init', '-c', '/proc/sys/x.yaml', '--data', '/proc/sys/data'], 78, 'cli.setup'],
    [['init', '-c', join(whole.configurationFile, 'x.yaml'), '--data', whole.data], 78, 'cli.setup'],
    [['agent', 'enroll', '--token-file', nowhere, '--gateway', '127.0.0.1:1', '--out', join(whole.folder, 'out')], 78, 'cli.setup'],
    [['support-bundle', whole.configurationFile], 78, 'cli.setup'],
    [['backup', nowhere], 64, 'cli.usage'],
    [['init', '--trust-domain', 'bad x', '--data', nowhere], 64, 'cli.usage'],
    [['witness', 'init', '--name', 'w1 x', '--data', nowhere], 64, 'cli.usage'],
    [['log', 'verify', '--from', nowhere, '--key', whole.running.logKey], 78, 'cli.setup'],
    [['log', 'verify', '--from', 'http://127.0.0.1:1', '--key', whole.running.logKey], 1, 'cli.failed'],
    [['connect', 'claude-cod'], 64, 'cli.usage'],
    [['tools', 'list', 'nosuch'], 1, 'control.not-found'],
    [['secret', 'remove', 'foo'], 1, 'control.not-found'],
    [['status', '--data', nowhere], 1, 'cli.failed'],
    [['explain', 'nothing'], 1, 'cli.failed'],
    [['agent', 'show', 'acme/nobody'], 1, 'control.not-found'],
    [['approve', 'nope'], 1, 'control.not-found'],
    [['unblock', 'acme'], 1, 'control.not-found'],
  ]
  for (const [args, code, problem] of cases) {
    const ran = await operator(whole, [...args, '--json'])
    const { error, ...more } = JSON.parse(ran.stderr)
    assert.deepEqual(
      [ran.code, error.code, typeof error.title, typeof error.detail, ran.stdout, more],
      [code, problem, 'string', 'string', '', {}],
      args.join(' '),
    )
    const plain = await operator(whole, args)
    assert.deepEqual([plain.code, plain.stderr.split('\n').length <= 3, plain.stderr.startsWith('{')], [code, true, false], args.join(' '))
  }
})

test('a failure names what is meant and what there is instead', async () => {
  await using whole = await running()
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['unblock', 'acme/other'], /^sallyport: acme\/other is not blocked: "sallyport status" shows what is\. /],
    [['unblock', 'acme'], /: acme is not blocked/],
    [['unblock', '--all'], /: Everything together is not blocked/],
    [['secret', 'remove', 'foo'], /There is no such secret: `secret list` shows those that are\./],
    [['secret', 'rotate', 'foo'], /There is no such secret: use `secret set`\./],
    [['tools', 'list', 'nosuch'], /No tool of an upstream nosuch was seen: "sallyport tools list"/],
    [['connect', 'claude-cod'], /there is no client "claude-cod": it is one of claude-code, codex, cursor, openclaw/],
    [['log', 'verify', '--from', join(whole.folder, 'no'), '--key', whole.running.logKey], /there is no folder .*no\n/],
  ]
  for (const [args, told] of cases) assert.match((await operator(whole, args, { input: 'a new credential' })).stderr, told)
})

test('a log that cannot be asked for has had nothing done to it', async () => {
  await using whole = await running()
  const { stderr } = await operator(whole, ['log', 'verify', '--from', 'http://127.0.0.1:1', '--key', whole.running.logKey, '--json'])
  const { error } = JSON.parse(stderr)
  assert.deepEqual([/ECONNREFUSED/.test(error.detail), error.outcome], [true, undefined])
})

test('doctor does not call in order what it could not look at', async () => {
  await using whole = await wholeGateway()
  await writeFile(whole.configurationFile, 'version: 2\n')
  const { stdout } = await operator(whole, ['doctor'])
  for (const check of ['sandbox', 'secrets']) assert.match(stdout, new RegExp(`^warn ${check}: not checked: the configuration is not valid$`, 'm'))
})

test('validate lists what is wrong with its places, and an action that no operation has is wrong', async () => {
  await using whole = await running()
  await whole.configure([
    { ...permitThings, match: { upstream: 'api', action: 'get_tihng' } },
    { id: 'all', match: { upstream: 'api', action: ['get_*', 'unlisted'] }, then: 'permit' },
  ])
  const { code, stderr } = await operator(whole, ['validate', '--json'])
  assert.equal(code, 78)
  const { code: problem, detail, faults } = JSON.parse(stderr).error
  assert.deepEqual([problem, detail, faults.length], ['control.configuration-invalid', '1 fault', 1])
  const { line, column, message, hint } = faults[0]
  assert.deepEqual([line, column > 1, message, hint], [1, true, 'no operation is named get_tihng', "did you mean 'get_thing'?"])
})

test('a reload that is refused lists the same faults as validate, however many there are', async () => {
  await using whole = await running()
  const misnamed = Array.from({ length: 100 }, (_, at) => ({ ...permitThings, id: `rule-${at}`, match: { upstream: 'api', action: `get_${at}` } }))
  await whole.configure(misnamed)
  const [validated, reloaded] = [await operator(whole, ['validate', '--json']), await operator(whole, ['reload', '--json'])]
  const { code, faults } = JSON.parse(reloaded.stderr).error
  assert.deepEqual([reloaded.code, code, faults.length], [78, 'control.configuration-invalid', 100])
  assert.deepEqual(faults, JSON.parse(validated.stderr).error.faults)
})

test('validate and doctor see secrets that nobody set, another trust domain, a taken port and a missing folder', async () => {
  await using whole = await wholeGateway()
  await using taken = createServer()
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  const address = taken.address()
  const listen = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const crm = { protocol: 'http', url: 'https://crm.example', credential: { secret: 'crm-key' } }
  await whole.configure([], [], listen, { crm })
  assert.match((await operator(whole, ['validate'])).stderr, /upstreams\.crm needs the secret crm-key: sallyport secret set crm-key/)
  const sick = (await operator(whole, ['doctor'])).stdout
  assert.match(sick, /^warn secrets: .*crm-key/m)
  assert.match(sick, new RegExp(`^FAIL gateway: cannot listen on ${listen} \\(EADDRINUSE\\)`, 'm'))
  assert.match((await operator(whole, ['doctor', '--data', join(whole.folder, 'no')])).stdout, /^FAIL data folder: there is no .*: run "sallyport init"/m)
  await writeFile(whole.configurationFile, (await readFile(whole.configurationFile, 'utf8')).replace('agents.example', 'other.example'))
  const other = await operator(whole, ['validate'])
  assert.deepEqual([other.code, /data folder was made for agents\.example/.test(other.stderr)], [78, true])
})

test('log search knows agents by their full name', async () => {
  await using whole = await running()
  await whole.enrolAgent()
  const agent = await whole.agent()
  await agent.callHttp('api', { method: 'GET', path: '/things/1' })
  await agent.close()
  await whole.stop()
  const found = async (name: string): Promise<number> =>
    JSON.parse(await said(whole, ['log', 'search', '--type', 'decision', '--agent', name, '--json'])).length
  assert.deepEqual([await found('acme/bot'), await found('bot'), await found('other/bot')], [1, 1, 0])
  assert.equal(await said(whole, ['log', 'search', '--agent', 'other/bot']), 'No entry fits.\n')
})

test('a proof can be checked with the key of the log alone, and of another entry it proves nothing', async () => {
  await using whole = await running()
  const { logKey } = whole.running
  await whole.stop()
  const [proof, entry] = [join(whole.folder, 'proof'), join(whole.folder, 'entry')]
  await writeFile(proof, await said(whole, ['log', 'prove', '0', '--entry', entry]))
  const nowhere = ['--data', join(whole.folder, 'nowhere')]
  assert.match(
    await said(whole, ['log', 'check', proof, '--entry', entry, '--key', logKey, ...nowhere]),
    /^proved: the entry is number 0 of 2 in the log agents\.example\/sallyport\n$/,
  )
  await writeFile(entry, (await readFile(entry, 'utf8')).replace('started', 'stopped'))
  const other = await operator(whole, ['log', 'check', proof, '--entry', entry, '--key', logKey])
  assert.deepEqual([other.code, /is not this entry/.test(other.stderr)], [1, true])
})
