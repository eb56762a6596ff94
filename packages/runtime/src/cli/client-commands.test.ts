import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { Command } from 'commander'
import { enrolledFolder, startPeer } from '../../../../test/fixtures/mtls-echo.ts'
import { readOrCreateSecret } from '../connect/client-secret.ts'
import { clientNames, clients } from '../clients/client.ts'
import { addAgentSideCommands } from './commands.ts'

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface Stand {
  readonly home: string
  readonly identity: string
  readonly secret: string
  run(line: string, input?: string): Promise<Ran>
}

async function stand(t: TestContext): Promise<Stand> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-home-'))
  t.after(() => rm(home, { recursive: true }))
  const identity = await enrolledFolder(t, await startPeer(t))
  const secret = await readOrCreateSecret(identity, (count) => new Uint8Array(count).fill(7))
  const run = async (line: string, input = ''): Promise<Ran> => {
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
    streams.stdin.end(input)
    let code = -1
    const root = new Command('sallyport')
    addAgentSideCommands(
      { root, agent: root.command('agent') },
      {
        ...streams,
        env: { HOME: home, SALLYPORT_IDENTITY: identity },
        program: ['/opt/node', '/opt/sallyport.ts'],
        now: Date.now,
        stop: new AbortController().signal,
        exit: (given) => (code = given),
      },
    )
    await root.parseAsync(line.split(' '), { from: 'user' })
    const read = (stream: PassThrough): string => String(stream.read() ?? '')
    return { code, stdout: read(streams.stdout), stderr: read(streams.stderr) }
  }
  return { home, identity, secret, run }
}

const configurations = {
  'claude-code': '.claude.json',
  codex: '.codex/config.toml',
  cursor: '.cursor/mcp.json',
  openclaw: '.openclaw/openclaw.json',
} as const

for (const name of clientNames) {
  test(`${name}: printed, written once, repeated without effect, and undone`, async (t) => {
    const { home, identity, run } = await stand(t)
    const file = join(home, configurations[name])
    const printed = JSON.parse((await run(`connect ${name} --json`)).stdout)
    assert.deepEqual([printed.file, printed.state], [file, 'missing'])
    assert.ok(printed.snippet.includes('"--stdio"') && printed.snippet.includes(identity))
    await assert.rejects(stat(file))

    const written = await run(`connect ${name} --write --yes`)
    assert.equal(written.code, 0, written.stderr)
    assert.equal(await readFile(file, 'utf8'), printed.snippet)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const again = JSON.parse((await run(`connect ${name} --write --yes --json`)).stdout)
    assert.deepEqual([again.changed, again.servers], [false, ['sallyport']])

    assert.equal((await run(`disconnect ${name} --yes`)).code, 0)
    await assert.rejects(stat(file), 'it was not there before')
    assert.equal(JSON.parse((await run(`disconnect ${name} --json`)).stdout).changed, false)
  })

  test(`${name}: with HTTP the configuration names the secret and does not hold it`, async (t) => {
    const { home, secret, run } = await stand(t)
    assert.equal((await run(`connect ${name} --http 127.0.0.1:9000 --upstream crm --upstream mail --write --yes`)).code, 0)
    const text = await readFile(join(home, configurations[name]), 'utf8')
    assert.ok(text.includes('http://127.0.0.1:9000/mcp/crm') && text.includes('SALLYPORT_CONNECT_SECRET'))
    const files = await readdir(home, { recursive: true, withFileTypes: true })
    for (const one of files.filter((entry) => entry.isFile())) assert.ok(!(await readFile(join(one.parentPath, one.name), 'utf8')).includes(secret))
    const read = clients[name].format.read(text)
    assert.deepEqual(read.kind === 'read' && [...read.servers.keys()], ['sallyport-crm', 'sallyport-mail'])
  })
}

test('shows what changes and asks; anything but a yes leaves all as it is', async (t) => {
  const { home, run } = await stand(t)
  const file = join(home, '.claude.json')
  await writeFile(file, '{\n  "theme": "dark"\n}\n')
  await chmod(file, 0o640)
  for (const input of ['', 'n\n', 'maybe\n', '\n']) {
    const refused = await run('connect claude-code --write', input)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /\+ {4}"sallyport": \{[^]*Write .*\? \[y\/N\] [^]*nothing was written/)
  }
  assert.equal((await run('connect claude-code --write --json', 'y\n')).code, 64)
  assert.deepEqual(await readdir(home), ['.claude.json'])

  assert.equal((await run('connect claude-code --write', 'y\n')).code, 0)
  const [backup] = (await readdir(home)).filter((name) => name.includes('.before-sallyport-'))
  assert.equal(await readFile(join(home, backup ?? ''), 'utf8'), '{\n  "theme": "dark"\n}\n')
  assert.deepEqual([(await stat(file)).mode & 0o777, (await stat(join(home, backup ?? ''))).mode & 0o777], [0o640, 0o640])

  const edited = (await readFile(file, 'utf8')).replace('dark', 'light')
  await writeFile(file, edited)
  assert.equal((await run('disconnect claude-code', 'n\n')).code, 1)
  assert.equal(await readFile(file, 'utf8'), edited)
  assert.equal((await run('disconnect claude-code', 'yes\n')).code, 0)
  assert.equal(await readFile(file, 'utf8'), '{\n  "theme": "light"\n}\n')
})

test('a part that was edited by hand is left alone by both commands, and the answer says what to do', async (t) => {
  const { home, run } = await stand(t)
  const file = join(home, '.codex', 'config.toml')
  await run('connect codex --write --yes')
  const edited = `${await readFile(file, 'utf8')}enabled = false\n`
  await writeFile(file, edited)
  for (const line of ['disconnect codex --yes', 'connect codex --http --write --yes']) {
    const { code, stderr } = await run(line)
    assert.equal(code, 78)
    assert.match(stderr, /stays as it is: "sallyport" was edited since it was written: remove it by hand/)
  }
  assert.equal(await readFile(file, 'utf8'), edited)
})

test('what is printed ends with the command that writes just this, with the options that were given', async (t) => {
  const { identity, run } = await stand(t)
  for (const given of [
    '',
    ` --identity ${identity}`,
    ' --http',
    ' --http 127.0.0.1:9000 --upstream crm --upstream mail',
    ' --each --program /opt/sallyport',
    ' --project',
    ` --home ${identity}/home`,
    ` --file ${identity}/file`,
  ]) {
    const { stdout } = await run(`connect claude-code${given}`)
    assert.ok(stdout.includes(`\nOr let it be written: sallyport connect claude-code${given} --write\n`), stdout)
  }
})

test('--each writes one server for each MCP upstream that the gateway offers, and takes out the one for all', async (t) => {
  const { home, run } = await stand(t)
  await run('connect cursor --write --yes')
  assert.equal((await run('connect cursor --each --write --yes')).code, 0)
  const { mcpServers } = JSON.parse(await readFile(join(home, '.cursor', 'mcp.json'), 'utf8'))
  assert.deepEqual(Object.keys(mcpServers), ['sallyport-everything'])
  assert.deepEqual(mcpServers['sallyport-everything'].args.slice(-2), ['--stdio', 'everything'])
})

test('a project has its own configuration, and an identity in the usual place is not named in it', async (t) => {
  const { home, run } = await stand(t)
  const project = join(home, 'project')
  await mkdir(project)
  const line = `connect claude-code --project ${project} --program sallyport --identity ${join(home, '.sallyport', 'agent')}`
  assert.equal((await run(line)).code, 78, 'there is no identity')
  const { file, servers } = JSON.parse((await run(`connect claude-code --project ${project} --program sallyport --json`)).stdout)
  assert.equal(file, join(project, '.mcp.json'))
  assert.equal(servers.sallyport.command, 'sallyport')
  assert.equal((await run(`connect openclaw --project ${project}`)).code, 64)
  assert.equal((await run('connect codex --http 0.0.0.0:1')).code, 64)
  assert.equal((await run('connect codex --upstream ../x')).code, 64)
})
