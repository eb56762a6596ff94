import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parseTrustDomain } from '@sallyport/contract'
import { makeRoot } from '../authority/sign-certificate.ts'
import { compileConfiguration } from './compile-configuration.ts'
import { formatFault } from './configuration-fault.ts'

const head = 'version: 1\ntrustDomain: agents.test\n'
const api = `${head}upstreams:\n  api: { protocol: http, url: "https://api.example", openapi: api.json }\n`

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-compile-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

async function faultsOf(text: string, folder: string, searchPath = folder): Promise<readonly string[]> {
  const compiled = await compileConfiguration({ text, fileName: 'f' }, folder, searchPath)
  return compiled.kind === 'invalid' ? compiled.faults.map(formatFault) : []
}

async function revisionOf(text: string, folder: string): Promise<string> {
  const compiled = await compileConfiguration({ text, fileName: 'f' }, folder, folder)
  return compiled.kind === 'compiled' ? compiled.revision : assert.fail(compiled.faults.map(formatFault).join('\n'))
}

const openapi = (name: string): string => JSON.stringify({ openapi: '3.1.0', info: {}, paths: { '/things': { get: { operationId: name } } } })

test('another content of a file that the configuration names is another revision', async (t) => {
  const folder = await folderFor(t)
  await writeFile(join(folder, 'api.json'), openapi('list_things'))
  const first = await revisionOf(api, folder)
  assert.equal(await revisionOf(`# the same\n${api}`, folder), first)
  await writeFile(join(folder, 'api.json'), openapi('read_everything'))
  assert.notEqual(await revisionOf(api, folder), first)
})

test('a file that is to hold certificates and holds none is a fault, whoever would trust them', async (t) => {
  const folder = await folderFor(t)
  await writeFile(join(folder, 'none.pem'), 'no certificate')
  await writeFile(join(folder, 'half.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  for (const settings of [
    'upstreams:\n  api: { protocol: http, url: "https://api.example", tls: { ca: FILE } }\n',
    'sessions:\n  providers:\n    idp: { issuer: "https://idp.example", clientId: x, authentication: { method: secret, secret: s }, ca: FILE }\n',
    'alerts: { webhook: { url: "https://soc.example/hook", ca: FILE } }\n',
    'exports: { siem: { format: syslog, to: "tls://siem.example:6514", tls: { ca: FILE } } }\n',
    'cluster: { database: "postgres://gate@db.example/gate", tls: { ca: FILE } }\n',
  ])
    for (const file of ['none.pem', 'half.pem'])
      assert.match((await faultsOf(head + settings.replace('FILE', file), folder)).join(), new RegExp(`${file} is not a PEM file of certificates`), settings)
})

test('a certificate lifetime outside 1h to 24h is a fault with its place', async (t) => {
  const folder = await folderFor(t)
  for (const lifetime of ['1h', '60m', '24h', '1d', '12h']) assert.deepEqual(await faultsOf(`${head}certificates: { lifetime: ${lifetime} }\n`, folder), [])
  for (const lifetime of ['59m', '25h', '30d', '86400001ms']) {
    const faults = await faultsOf(`${head}certificates: { lifetime: ${lifetime} }\n`, folder)
    assert.match(faults.join(), /^f:3:27: expected a duration of 1h to 24h/)
  }
  assert.equal((await faultsOf(`${head}certificates: { lifetime: soon }\n`, folder)).length, 1)
})

const program = (settings: string): string => `${head}upstreams:\n  files:\n    protocol: mcp\n    command: [node]\n${settings}`

test('a program that is not there, and a sandbox that is not, are faults with their places and with what to do', async (t) => {
  const folder = await folderFor(t)
  assert.match((await faultsOf(program(''), folder)).join(), /^f:6:15: there is no program node\n[^]*hint: name it absolutely/)
  await symlink(process.execPath, join(folder, 'node'))
  assert.match((await faultsOf(program(''), folder)).join(), /^f:6:14: .*bubblewrap is not installed\n[^]*hint: install bubblewrap, or write sandbox: none/)
  assert.deepEqual(await faultsOf(program('    sandbox: none\n'), folder), [])
  await writeFile(join(folder, 'bwrap'), '')
  await chmod(join(folder, 'bwrap'), 0o755)
  assert.deepEqual(await faultsOf(program(''), folder), [])
  for (const [settings, expected] of [
    ['    readable: [nowhere]\n', /^f:7:16: there is no file or folder nowhere/],
    ['    directory: nowhere\n', /^f:7:16: there is no folder nowhere/],
    ['    directory: bwrap\n', /^f:7:16: there is no folder bwrap/],
    ['    sandbox: none\n    network: true\n', /^f:8:14: network has no effect without sandbox: bubblewrap/],
    ['    sandbox: firejail\n', /^f:7:14: expected bubblewrap, user:NAME or none/],
    ['    sandbox: user:no-such-user\n', /^f:7:14: there is no user no-such-user/],
    ['    sandbox: user:root\n', /^f:7:14: root can do what the gateway can/],
  ] as const) {
    assert.match((await faultsOf(program(settings), folder)).join(), expected)
  }
})

test('a program in a sandbox has what it names, by its real path, and one without is warned of', async (t) => {
  const folder = await folderFor(t)
  for (const name of ['node', 'bwrap']) await symlink(process.execPath, join(folder, name))
  const compile = (settings: string) => compileConfiguration({ text: program(settings), fileName: 'f' }, folder, folder)
  const sandboxed = await compile('    writable: [bwrap]\n    network: true\n')
  assert.ok(sandboxed.kind === 'compiled')
  const [{ sandbox } = assert.fail()] = sandboxed.programs.values()
  assert.deepEqual(sandbox, { kind: 'bubblewrap', bwrap: join(folder, 'bwrap'), network: true, readable: [], writable: [process.execPath] })
  assert.deepEqual(sandboxed.warnings, [])
  const bare = await compile('    sandbox: none\n')
  assert.ok(bare.kind === 'compiled')
  assert.match(bare.warnings.join(), /^upstreams\.files runs without a sandbox/)
})

test('the private keys that a configuration names are known by their paths, so that programs can be kept from them', async (t) => {
  const folder = await folderFor(t)
  const { certificatePem, keyPem } = await makeRoot(parseTrustDomain('agents.test') ?? assert.fail(), Date.now(), randomBytes)
  await writeFile(join(folder, 'own.pem'), certificatePem)
  await writeFile(join(folder, 'own.key'), keyPem)
  const text = `${head}upstreams:\n  api: { protocol: http, url: "https://api.example", tls: { certificate: own.pem, key: own.key } }\n`
  const compiled = await compileConfiguration({ text, fileName: 'f' }, folder, '')
  assert.ok(compiled.kind === 'compiled')
  assert.deepEqual(compiled.keyFiles, [join(folder, 'own.key')])
})
