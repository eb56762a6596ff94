/**
 * The main job on real input: a gateway, real MCP servers, an HTTP API and the official MCP client, all on this machine, on free ports, in a folder of its own.
 * Exits with 0 only if everything happened as it says.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import { styleText } from 'node:util'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { initialise, startGateway } from '@sallyport/gateway'
import { askGateway } from '@sallyport/gateway/admin'
import { ownVerifierKey, verifyFolder } from '@sallyport/gateway/log'
import { enroll, gatewayClient, identityInFolder, openBridge, openLink, readOrCreateSecret } from '@sallyport/runtime'
import { makeWitness, startWitness } from '@sallyport/witness'
import { Agent, fetch as undiciFetch } from 'undici'
import { showStolenHandle } from './stolen-handle.ts'

let failures = 0
const title = (text: string): void => void process.stdout.write(`\n${styleText('bold', text)}\n`)
const tell = (text: string): void => void process.stdout.write(`  ${text}\n`)
function show(what: string, isAsPromised: boolean, seen: string): void {
  if (!isAsPromised) failures += 1
  process.stdout.write(
    `  ${isAsPromised ? styleText('green', 'ok  ') : styleText('red', 'FAIL')} ${what}\n       ${styleText('dim', seen.replaceAll(/\s+/g, ' '))}\n`,
  )
}
function part(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? Object.getOwnPropertyDescriptor(at, name)?.value : undefined), value)
}
const textOf = (result: unknown): string => JSON.stringify(part(result, 'content') ?? result)

const started = Date.now()
const folder = await mkdtemp(join(tmpdir(), 'sallyport-demo-'))
const data = join(folder, 'data')
const closing: (() => Promise<unknown> | unknown)[] = [() => rm(folder, { recursive: true, force: true })]
const program = (name: string): string => {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve(`${name}/package.json`)), 'dist', 'index.js')
}

try {
  title('1. What stands behind the gateway')
  const seenAuthorization: (string | undefined)[] = []
  const api = createServer((request, response) => {
    seenAuthorization.push(request.headers.authorization)
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ path: request.url, total: 1250 })))
  })
  await new Promise<void>((done) => api.listen(0, '127.0.0.1', done))
  closing.push(() => (api.closeAllConnections(), api.close()))
  const apiAddress = api.address()
  const apiPort = typeof apiAddress === 'object' && apiAddress ? apiAddress.port : 0
  const files = join(folder, 'files')
  await mkdir(files)
  await writeFile(join(files, 'invoice-7.txt'), 'Invoice 7: 1250.00 EUR, unpaid')
  tell(`an HTTP API on port ${apiPort} that wants a credential; the MCP servers "filesystem" and "everything" from npm, started by the gateway`)

  title('2. The gateway: one folder, one file, nothing permitted unless a rule says so')
  await initialise(data, 'agents.example')
  const witnessFolder = join(folder, 'witness')
  await makeWitness(witnessFolder, 'witness.example/w1', [await ownVerifierKey(data)])
  const witness = await startWitness({ folder: witnessFolder, listen: { host: '127.0.0.1', port: 0 }, now: Date.now, report: () => undefined })
  closing.push(() => witness.stop())
  await writeFile(
    join(folder, 'sallyport.yaml'),
    JSON.stringify({
      version: 1,
      trustDomain: 'agents.example',
      listen: '127.0.0.1:0',
      enrolment: '127.0.0.1:0',
      operations: '127.0.0.1:0',
      log: { witnesses: [{ vkey: witness.vkey, url: `http://${witness.address}` }] },
      upstreams: {
        billing: {
          protocol: 'http',
          url: `http://127.0.0.1:${apiPort}`,
          addresses: { allow: ['127.0.0.1/32'] },
          credential: { secret: 'billing-key' },
          operations: [
            { name: 'get_invoice', method: 'GET', path: '/invoices/{id}' },
            { name: 'delete_invoice', method: 'DELETE', path: '/invoices/{id}' },
          ],
        },
        // Without a sandbox, so that this runs where bubblewrap is not installed.
        files: { protocol: 'mcp', sandbox: 'none', command: [process.execPath, program('@modelcontextprotocol/server-filesystem'), files] },
        everything: { protocol: 'mcp', sandbox: 'none', command: [process.execPath, program('@modelcontextprotocol/server-everything')] },
      },
      rules: [
        { id: 'read-files', match: { upstream: 'files', action: ['read_text_file', 'list_directory'] }, then: 'permit' },
        { id: 'writing-needs-a-person', match: { upstream: 'files', action: 'write_file' }, then: 'hold' },
        { id: 'echo', match: { upstream: 'everything', action: 'echo' }, then: 'permit' },
        { id: 'small-sums-only', match: { upstream: 'everything', action: 'get-sum' }, when: 'args.a + args.b < 100.0', then: 'permit' },
        { id: 'read-invoices', match: { upstream: 'billing', action: 'get_invoice' }, then: 'permit' },
      ],
      quotas: [{ id: 'invoices', match: { upstream: 'billing' }, per: ['tenant', 'agent'], requests: 2, window: '1h' }],
    }),
  )
  const gateway = await startGateway({
    configurationFile: join(folder, 'sallyport.yaml'),
    dataFolder: data,
    report: (event, error) => show(`nothing goes wrong inside (${event})`, false, String(error)),
  })
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (!isStopped) await gateway.stop()
    isStopped = true
  }
  closing.push(stop)
  const admin = async (act: string, input: object): Promise<unknown> => {
    const answer = await askGateway(join(data, 'admin.sock'), act, input)
    return answer.kind === 'done' ? answer.value : answer
  }
  tell('a witness with a key of its own, which would run on another host, cosigns what the log publishes')
  tell(`agents connect to https://${gateway.addresses.agents} with a certificate; the operator uses a socket that only they can open`)
  const set = await admin('secret.set', { name: 'billing-key', value: 'the-billing-credential-42', person: 'alice' })
  show('the operator stores the credential of the API, sealed', part(set, 'kind') === 'set', JSON.stringify(set))

  title('3. An agent gets an identity of its own')
  const added = await admin('agent.add', { tenant: 'acme', agent: 'bot', person: 'alice' })
  const identity = join(folder, 'agent')
  const enrolled = await enroll({
    address: gateway.addresses.enrolment ?? '',
    token: String(part(added, 'token')),
    directory: identity,
    gatewayAddress: gateway.addresses.agents,
  })
  show(
    'it exchanges a one-time token for a certificate over a key that never leaves it',
    enrolled.kind === 'enrolled',
    enrolled.kind === 'enrolled' ? 'enrolled as acme/bot' : enrolled.reason,
  )
  const clock = {
    now: Date.now,
    after: (milliseconds: number, call: () => void) => {
      const timer = setTimeout(call, milliseconds)
      return () => clearTimeout(timer)
    },
  }
  const link = await openLink({ identity: identityInFolder(identity), clock, report: () => undefined })
  closing.push(() => link.close())
  const secret = await readOrCreateSecret(identity, randomBytes)
  const bridge = await openBridge({
    link,
    listen: { host: '127.0.0.1', port: 0 },
    clientSecret: secret,
    allowedOrigins: [],
    clock,
    newId: randomUUID,
    report: () => undefined,
  })
  closing.push(() => bridge.close())

  title('4. The official MCP client, through "sallyport connect", which holds the key')
  const client = new Client({ name: 'demo', version: '1.0.0' })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${bridge.url}/mcp/files`), { requestInit: { headers: { authorization: `Bearer ${String(secret)}` } } }),
  )
  closing.push(() => client.close())
  const listed = (await client.listTools()).tools.map(({ name }) => name).sort()
  show('it sees only the tools that rules could permit or hold', listed.join() === 'list_directory,read_text_file,write_file', listed.join(', '))
  const read = await client.callTool({ name: 'read_text_file', arguments: { path: join(files, 'invoice-7.txt') } })
  show('permitted: it reads a real file', textOf(read).includes('1250.00 EUR'), textOf(read))
  const denied = await client.callTool({ name: 'move_file', arguments: { source: join(files, 'invoice-7.txt'), destination: join(files, 'gone') } }).then(
    () => 'was permitted',
    (error: unknown) => String(error),
  )
  show(
    'denied: no rule permits moving files, and the file is where it was',
    denied !== 'was permitted' && (await readdir(files)).includes('invoice-7.txt'),
    denied,
  )

  title('5. A person is asked')
  const write = { name: 'write_file', arguments: { path: join(files, 'paid.txt'), content: 'Invoice 7 is paid' } }
  const held = await client.callTool(write)
  show('held: the call waits, nothing is written', held.isError === true && !(await readdir(files)).includes('paid.txt'), textOf(held))
  const waiting = part(await admin('approvals', {}), 'approvals', '0')
  show('the operator sees the exact arguments', part(waiting, 'call', 'args', 'content') === 'Invoice 7 is paid', JSON.stringify(part(waiting, 'call', 'args')))
  const approved = await admin('approvals.answer', { id: String(part(waiting, 'id')), answer: 'approved', person: 'alice' })
  const changed = await client.callTool({ name: 'write_file', arguments: { path: join(files, 'paid.txt'), content: 'Invoice 7 is void' } })
  show('alice approves; the same call with other arguments still waits', part(approved, 'kind') === 'approved' && changed.isError === true, textOf(changed))
  const written = await client.callTool(write)
  show('the approved call passes', written.isError !== true && (await readdir(files)).includes('paid.txt'), textOf(written))
  const again = await client.callTool(write)
  show('once', again.isError === true, textOf(again))

  title('6. The official MCP client directly over mutual TLS')
  const [cert, key, ca] = await Promise.all(['agent.crt', 'agent.key', 'bundle.crt'].map((file) => readFile(join(identity, file), 'utf8')))
  const tls = new Agent({
    connect: { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...(ca !== undefined && { ca }), servername: 'localhost' },
  })
  closing.push(() => tls.destroy())
  // The client speaks the web's fetch; undici's is the same function and takes the certificate.
  const mtlsFetch = (async (url: string, init: object) => undiciFetch(url, { ...init, dispatcher: tls })) as unknown as typeof fetch
  const direct = new Client({ name: 'demo-direct', version: '1.0.0' })
  await direct.connect(new StreamableHTTPClientTransport(new URL(`https://${gateway.addresses.agents}/mcp`), { fetch: mtlsFetch }))
  const echoed = await direct.callTool({ name: 'everything__echo', arguments: { message: 'through both doors' } })
  show('one address for all servers, tools named by their upstream', textOf(echoed).includes('through both doors'), textOf(echoed))
  const small = await direct.callTool({ name: 'everything__get-sum', arguments: { a: 2, b: 3 } })
  const large = await direct.callTool({ name: 'everything__get-sum', arguments: { a: 200, b: 3 } }).then(textOf, String)
  show('a condition over the arguments: 2 + 3 passes, 200 + 3 does not', textOf(small).includes('5') && !large.includes('203'), large)
  await direct.close()

  title('7. An HTTP API: the credential is the gateway’s, the quota too')
  const http = gatewayClient(link)
  const invoice = await http.callHttp('billing', { method: 'GET', path: '/invoices/7' })
  show(
    'permitted, with a credential that the agent never had',
    invoice.kind === 'answer' && invoice.status === 200 && seenAuthorization.at(-1) === 'Bearer the-billing-credential-42',
    `the API saw: ${String(seenAuthorization.at(-1)).slice(0, 11)}…`,
  )
  await http.callHttp('billing', { method: 'GET', path: '/invoices/8' })
  const over = await http.callHttp('billing', { method: 'GET', path: '/invoices/9' })
  show(
    'the third call within the hour is over the quota',
    over.kind === 'refused' && over.problem.code === 'policy.quota-exhausted' && seenAuthorization.length === 2,
    JSON.stringify(over.kind === 'refused' ? over.problem : over.status),
  )

  title('8. Who is not let in')
  const [host = '', port = ''] = gateway.addresses.agents.split(':')
  const bare = await new Promise<string>((done) => {
    const socket = connect({ host, port: Number(port), servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () =>
      socket.write('GET /sallyport/v1/whoami HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    )
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (bytes) => done(`answered ${bytes.toString('latin1').slice(0, 40)}`))
    socket.on('error', (error) => done(`refused: ${'code' in error ? String(error.code) : error.message}`))
    socket.on('close', () => done('refused: the connection was closed'))
  })
  show('a connection without a certificate', bare.startsWith('refused'), bare)
  await admin('agent.revoke', { tenant: 'acme', agent: 'bot', person: 'alice' })
  const revoked = await http.whoami().then(
    (answer) => (answer.kind === 'refused' ? answer.problem.code : 'let in'),
    (error: unknown) => `refused: ${String(error)}`,
  )
  show('the agent, from the moment it is revoked', revoked !== 'let in', revoked)

  title('9. A person behind an agent, a slow identity provider, a stolen handle')
  await showStolenHandle(show)

  title('10. The log')
  await client.close().catch(() => undefined)
  await stop()
  const log = join(data, 'log')
  const report = await verifyFolder(log, gateway.logKey)
  show(
    'every decision was written before anything left; the log verifies',
    report.kind === 'verified',
    report.kind === 'verified' ? `${report.size} entries, root ${String(report.root)}` : report.text,
  )
  const copy = join(folder, 'copy')
  await cp(data, copy, { recursive: true })
  const bundles = (await readdir(join(log, 'tile', 'entries'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const bundle = bundles.at(-1)
  if (!bundle) throw new Error('the log has no entry bundle')
  const file = join(bundle.parentPath, bundle.name)
  const bytes = await readFile(file)
  const place = bytes.indexOf('"decision":"permit"')
  bytes[place + 12] = 'P'.charCodeAt(0)
  await writeFile(file, bytes)
  const tampered = await verifyFolder(log, gateway.logKey)
  show('one byte of it is flipped: the verification names the entry', tampered.kind === 'fault', tampered.kind === 'fault' ? tampered.text : 'was not noticed')

  title('10. A witness catches a fork')
  const size = report.kind === 'verified' ? report.size : 0
  const alarms: string[] = []
  const on = async (dataFolder: string): Promise<{ stop: () => Promise<void>; seen: (state: string, size: number) => Promise<string> }> => {
    const report = (event: string, error: unknown): void => void alarms.push(`${event}: ${String(error)}`)
    const running = await startGateway({ configurationFile: join(folder, 'sallyport.yaml'), dataFolder, report })
    const look = async (): Promise<unknown> => {
      const answer = await askGateway(join(dataFolder, 'admin.sock'), 'status', {})
      return answer.kind === 'done' ? part(answer.value, 'log', 'witnesses', '0') : answer
    }
    const seen = async (state: string, size: number): Promise<string> => {
      for (let looks = 0; looks < 200; looks += 1, await wait(50)) {
        const witnessing = await look()
        if (part(witnessing, 'state') === state && Number(part(witnessing, 'size')) >= size) break
      }
      return JSON.stringify(await look())
    }
    return { stop: () => running.stop(), seen }
  }
  const goesOn = join(folder, 'goes-on')
  await cp(copy, goesOn, { recursive: true })
  const honest = await on(goesOn)
  const cosigned = await honest.seen('cosigns', size + 1)
  await honest.stop()
  show('the gateway goes on with its log, and the witness cosigns', cosigned.includes('"cosigns"') && alarms.length === 0, cosigned)
  const forked = await on(copy)
  const conflict = await forked.seen('conflict', size)
  await forked.stop()
  const sound = await verifyFolder(join(copy, 'log'), gateway.logKey)
  show(
    'someone puts the whole folder back, keys and all, and starts again: nothing in it can tell',
    sound.kind === 'verified',
    sound.kind === 'verified' ? `it verifies: ${sound.size} entries` : sound.text,
  )
  show('the witness can, and the gateway raises the alarm', conflict.includes('"conflict"') && alarms.length > 0, alarms[0] ?? conflict)
} catch (error) {
  failures += 1
  process.stdout.write(`\n${styleText('red', 'FAIL')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
} finally {
  for (const close of closing.reverse()) await Promise.resolve(close()).catch(() => undefined)
}
process.stdout.write(
  `\n${failures === 0 ? styleText('green', 'Everything happened as promised') : styleText('red', `${failures} things did not happen as promised`)} in ${Math.round((Date.now() - started) / 1000)} s.\n`,
)
process.exit(failures === 0 ? 0 : 1)
