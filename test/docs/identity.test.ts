import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { operator, type Ran } from '../fixtures/operator.ts'
import { wholeGateway } from '../fixtures/whole-gateway.ts'

/** The commands of the page, in its order. */
async function commands(): Promise<readonly string[]> {
  const page = await readFile(join(import.meta.dirname, '../../docs/operate/identity.md'), 'utf8')
  return [...page.matchAll(/`sallyport ([^`]+)`/g)].map(([, words = '']) => words)
}

test('docs/operate/identity.md: each command works as it stands there, in the order of the page', async () => {
  await using whole = await wholeGateway()
  await whole.configure([])
  const { addresses } = await whole.start()
  const [identity, token] = [join(whole.folder, 'invoice-bot'), join(whole.folder, 'token')]
  const run = async (words: readonly string[]): Promise<Ran> => {
    const ran = await operator(whole, words)
    assert.equal(ran.code, 0, `${words.join(' ')}: ${ran.stderr}`)
    return ran
  }
  const enrol = async (): Promise<void> => {
    await rm(token, { force: true })
    await run(['agent', 'add', 'acme/invoice-bot', '--token-file', token])
    await run(['agent', 'enroll', '--gateway', addresses.enrolment ?? '', '--agents', addresses.agents, '--token-file', token, '--out', identity, '--replace'])
  }
  const roots = async (): Promise<readonly { readonly fingerprint: string }[]> => JSON.parse((await run(['ca', 'list', '--json'])).stdout).roots
  const certificate = async (): Promise<string> => JSON.parse((await run(['agent', 'show', 'acme/invoice-bot', '--json'])).stdout).certificates[0].thumbprint
  let shownRoots = await roots()
  /** What the page has told the reader to do meanwhile. */
  const before: Readonly<Record<string, () => Promise<void>>> = {
    'agent enroll': async () => void (await run(['agent', 'add', 'acme/invoice-bot', '--token-file', token])),
    'agent revoke acme/invoice-bot --certificate <fingerprint>': async () => {
      await run(['agent', 'reinstate', 'acme/invoice-bot'])
      await enrol()
    },
    'agent reinstate acme/invoice-bot': async () => void (await run(['agent', 'revoke', 'acme/invoice-bot'])),
    unblock: async () => undefined,
    'ca rotate': async () => void (shownRoots = await roots()),
  }
  const done: string[] = []
  for (const command of await commands()) {
    await Object.entries(before).find(([words]) => command.startsWith(words))?.[1]()
    const values: Readonly<Record<string, string>> = {
      '<host>:8444': addresses.enrolment ?? '',
      '<file>': token,
      '<folder>': identity,
      '<fingerprint>': command.includes('--certificate') ? await certificate() : '',
      '<fingerprint of the old root>': shownRoots[0]?.fingerprint ?? '',
    }
    // The page means the same words as for the block.
    const words = command === 'unblock' ? 'unblock --all' : command
    const filled = Object.entries(values)
      .reduce((text, [name, value]) => text.replace(name, value), words)
      .split(' ')
    assert.ok(!filled.some((word) => /[<>]/.test(word)), command)
    // Ports of tests are not those that the gateway tells.
    await run([...filled, ...(command.startsWith('agent enroll') ? ['--agents', addresses.agents] : [])])
    done.push(command)
  }
  assert.ok(done.length >= 14, done.join('\n'))
})
