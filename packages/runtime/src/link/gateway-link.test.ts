import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Fault, problemDocument } from '@sallyport/contract'
import { makeAuthority, serverNames } from '../../../../test/fixtures/edge-pki.ts'
import { catalog, enrolledFolder, linkTo, realClock, startPeer } from '../../../../test/fixtures/mtls-echo.ts'
import { writeIdentity } from '../enrolment/identity-files.ts'
import { loadIdentity } from '../enrolment/index.ts'
import { gatewayClient } from './gateway-client.ts'
import { linkLimits, openLink } from './gateway-link.ts'
import { readBytes } from './read-answer.ts'

const notDone = (pattern: RegExp) => (error: unknown) => error instanceof Fault && error.outcome === 'not-done' && pattern.test(error.message)

test('asks as the agent, over mutual TLS', async (t) => {
  const peer = await startPeer(t)
  const link = await linkTo(t, await enrolledFolder(t, peer))
  const whoami = await link.whoami()
  assert.equal(whoami.kind === 'whoami' && whoami.whoami.agent, 'invoice-bot')
  assert.deepEqual(await link.catalog(), { kind: 'catalog', catalog })
  for (let count = 0; count < 10; count++) await link.whoami()
  assert.ok(peer.connections() <= 2, 'connections are used again')
})

test('sends nothing to a gateway of another authority, of another name, or below TLS 1.3', async (t) => {
  const peer = await startPeer(t)
  const stranger = await startPeer(t)
  const misnamed = await startPeer(t, undefined, [{ type: 'dns', value: 'other.example' }])
  const atStranger = await linkTo(t, await enrolledFolder(t, { authority: peer.authority, port: stranger.port }))
  await assert.rejects(atStranger.whoami(), notDone(/not the gateway that this agent enrolled with/))
  for (const host of ['127.0.0.1', 'localhost']) {
    const link = await linkTo(t, await enrolledFolder(t, misnamed, host))
    await assert.rejects(link.whoami(), notDone(/not for that name/))
  }

  const authority = await makeAuthority()
  const { certificatePem, keyPem } = await authority.issue({ names: serverNames, usage: 'server' })
  const old = createServer({ cert: certificatePem, key: keyPem, maxVersion: 'TLSv1.2' }, () => assert.fail('a request came over TLS 1.2')).listen(
    0,
    '127.0.0.1',
  )
  t.after(() => old.close())
  await once(old, 'listening')
  const { port } = old.address() as AddressInfo
  const link = await linkTo(t, await enrolledFolder(t, { authority, port }))
  await assert.rejects(link.whoami(), Fault)
  assert.deepEqual([...stranger.received, ...misnamed.received], [])
})

test('an agent certificate is no gateway certificate', async (t) => {
  const authority = await makeAuthority()
  const { certificatePem, keyPem } = await authority.issue({ names: serverNames, usage: 'client' })
  const server = createServer({ cert: certificatePem, key: keyPem }, () => assert.fail('an agent was taken for the gateway')).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const link = await linkTo(t, await enrolledFolder(t, { authority, port }))
  await assert.rejects(link.whoami(), Fault)
})

test('says that nothing listens, and that the call was not done', async (t) => {
  const peer = await startPeer(t)
  const link = await linkTo(t, await enrolledFolder(t, peer))
  peer.server.close()
  await assert.rejects(link.whoami(), notDone(/nothing listens/))
})

test('a certificate that the gateway refuses is a fault that says what to do', async (t) => {
  const peer = await startPeer(t)
  const other = await makeAuthority('Other Root')
  const directory = await enrolledFolder(t, peer)
  const foreign = await other.issue()
  await writeIdentity(directory, {
    id: 'spiffe://test.example/tenant/acme/agent/invoice-bot',
    gateway: `127.0.0.1:${peer.port}`,
    ...foreign,
    bundlePem: `${peer.authority.rootPem}\n${other.rootPem}`,
  })
  const link = await linkTo(t, directory)
  await assert.rejects(link.whoami(), (error) => error instanceof Fault && /refuses this agent's certificate|connection .* failed/.test(error.message))
  assert.deepEqual(peer.received, [])
})

test('follows no redirect', async (t) => {
  const elsewhere = await startPeer(t)
  const peer = await startPeer(t, (incoming, outgoing) => {
    if (!incoming.url?.startsWith('/http/')) return false
    outgoing.writeHead(307, { location: `https://127.0.0.1:${elsewhere.port}/http/crm/` }).end()
    return true
  })
  const client = gatewayClient(await linkTo(t, await enrolledFolder(t, peer)))
  const answer = await client.callHttp('crm', { method: 'GET', path: '/' })
  assert.equal(answer.kind === 'answer' && answer.status, 307)
  assert.equal(elsewhere.connections(), 0)
})

test('a renewed certificate is shown from then on, and what is under way goes on', async (t) => {
  const more = Promise.withResolvers<void>()
  const peer = await startPeer(t, (incoming, outgoing) => {
    if (incoming.url !== '/http/crm/long') return false
    outgoing.writeHead(200).write('first ')
    void more.promise.then(() => outgoing.end('last'))
    return true
  })
  const directory = await enrolledFolder(t, peer)
  const before = await loadIdentity(directory)
  const link = await openLink({
    identity: {
      load: () => loadIdentity(directory),
      renew: async () => {
        const next = await peer.authority.issue({ notAfter: new Date(Date.now() + 7_200_000) })
        await writeIdentity(directory, { id: before.identity.id, gateway: `127.0.0.1:${peer.port}`, ...next, bundlePem: before.bundlePem })
        return { kind: 'renewed', held: await loadIdentity(directory) }
      },
    },
    clock: realClock,
    report: (failure) => assert.fail(String(failure)),
  })
  t.after(() => link.close())
  await link.whoami()
  const long = await link.request({ method: 'GET', path: '/http/crm/long', headers: [] })
  const renewed = await link.renew()
  assert.equal(renewed.kind, 'renewed')
  await link.whoami()
  more.resolve()
  assert.equal(Buffer.from(await readBytes(long, 1000)).toString(), 'first last')
  const shown = peer.received.map(({ certificate }) => certificate)
  assert.equal(new Set(shown).size, 2)
})

test('a refusal of the gateway is a value; a problem of the upstream is its answer', async (t) => {
  const ours = JSON.stringify(problemDocument({ code: 'policy.no-rule', detail: 'Ask.' }, 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'))
  const theirs = JSON.stringify({ type: 'about:blank', title: 'No such invoice', status: 404 })
  const peer = await startPeer(t, (incoming, outgoing) => {
    const isTheirs = incoming.url?.startsWith('/http/crm/theirs')
    outgoing.writeHead(404, { 'content-type': 'application/problem+json; charset=utf-8', ...(!isTheirs && { 'sallyport-problem': 'policy.no-rule' }) })
    outgoing.end(incoming.url === '/http/crm/theirs' ? theirs : ours)
    return true
  })
  const link = await linkTo(t, await enrolledFolder(t, peer))
  const client = gatewayClient(link)
  const refusal = await client.callHttp('crm', { method: 'GET', path: '/ours' })
  assert.equal(refusal.kind === 'refused' && refusal.problem.code, 'policy.no-rule')
  const answer = await client.callHttp('crm', { method: 'GET', path: '/theirs' })
  assert.ok(answer.kind === 'answer')
  assert.equal(Buffer.from(await readBytes(answer, 1000)).toString(), theirs)
  const inOurWords = await client.callHttp('crm', { method: 'GET', path: '/theirs/in-our-words' })
  assert.ok(inOurWords.kind === 'answer')
  assert.equal(Buffer.from(await readBytes(inOurWords, 1000)).toString(), ours)
  assert.equal((await link.whoami()).kind, 'refused')
  for (const name of ['../sallyport', 'CRM', '', 'a/b']) await assert.rejects(client.callHttp(name, { method: 'GET', path: '/' }), TypeError)
  await assert.rejects(client.callHttp('crm', { method: 'GET', path: 'x' }), TypeError)
})

test('what no gateway would answer is a fault', async (t) => {
  const answers = ['{"id":1}', 'not json', '[]', 'x'.repeat(linkLimits.ownAnswerBytesMax + 1)]
  const peer = await startPeer(t, (_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(answers.shift())
    return true
  })
  const link = await linkTo(t, await enrolledFolder(t, peer))
  for (let count = answers.length; count > 0; count--) await assert.rejects(link.whoami(), Fault)
})

test('a silent gateway is given up after the deadline, and a cancel is its own reason', async (t) => {
  const peer = await startPeer(t, () => true)
  const link = await linkTo(t, await enrolledFolder(t, peer))
  await assert.rejects(
    link.request({ method: 'GET', path: '/http/crm/', headers: [], headMsMax: 50 }),
    (error) => error instanceof Fault && /in time/.test(error.message),
  )
  const reason = new Error('enough')
  const stop = new AbortController()
  const asking = link.request({ method: 'GET', path: '/http/crm/', headers: [], signal: stop.signal })
  stop.abort(reason)
  await assert.rejects(asking, (error) => error === reason)
})

test('no more than the limit are under way; an answer that ended makes room', async (t) => {
  const waiting: (() => void)[] = []
  const arrived = Promise.withResolvers<void>()
  const peer = await startPeer(t, (_incoming, outgoing) => {
    waiting.push(() => outgoing.end('done'))
    if (waiting.length === linkLimits.inFlightMax) arrived.resolve()
    return true
  })
  const link = await linkTo(t, await enrolledFolder(t, peer))
  const ask = () => link.request({ method: 'GET', path: '/http/crm/', headers: [] })
  const all = Array.from({ length: linkLimits.inFlightMax }, ask)
  await arrived.promise
  await assert.rejects(ask(), notDone(/under way/))
  for (const finish of waiting.splice(0)) finish()
  await Promise.all(all.map(async (each) => readBytes(await each, 1000)))
  const next = ask()
  while (waiting.length === 0) await new Promise(setImmediate)
  waiting.pop()?.()
  assert.equal((await next).status, 200)
})
