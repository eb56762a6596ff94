import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { objectionToSecret } from '../../packages/gateway/src/forward/credentials.ts'
import { rewriteCard } from '../../packages/gateway/src/forward/a2a/agent-card.ts'
import { AnswerNotes } from '../../packages/gateway/src/forward/llm/answer-notes.ts'
import { WholeReading } from '../../packages/gateway/src/forward/llm/noted-answer.ts'
import { CallsInFlight } from '../../packages/gateway/src/forward/mcp/calls-in-flight.ts'
import { readEvents } from '../../packages/gateway/src/forward/mcp/event-stream.ts'
import { readUpstreamMessage } from '../../packages/gateway/src/forward/mcp/upstream-reply.ts'
import { AttemptLimit } from '../../packages/gateway/src/control/authority/attempt-limit.ts'
import { readCsr } from '../../packages/gateway/src/control/authority/read-csr.ts'
import { RefusalSample } from '../../packages/gateway/src/control/authority/refusal-sample.ts'
import { faultsMax, readConfiguration } from '../../packages/gateway/src/control/configuration/read-configuration.ts'
import { Metrics } from '../../packages/gateway/src/telemetry/metrics.ts'
import { readEnrolmentToken } from '../../packages/runtime/src/cli/read-enrolment-token.ts'
import { readConfiguration as readClientConfiguration } from '../../packages/runtime/src/clients/replace-file.ts'
import { mirroredArguments } from '../../packages/runtime/src/connect/mirrored-arguments.ts'
import { separateProblem } from '../../packages/runtime/src/link/read-answer.ts'
import { principalOf } from '../fixtures/access-request.ts'
import { testBound, testLeast } from './bound.ts'

testBound('gateway/forward/credentials.ts', 'secretCharactersMax', (size) => objectionToSecret('a'.repeat(size)) === undefined)
testLeast('gateway/forward/echo-pattern.ts', 'secretCharactersMin', (size) => objectionToSecret('a'.repeat(size)) === undefined)

const card = {
  name: 'n',
  description: '',
  version: '1',
  capabilities: {},
  defaultInputModes: [],
  defaultOutputModes: [],
  skills: [],
  supportedInterfaces: [{ url: 'https://a', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
}
const cardWith = (changed: object): string => JSON.stringify({ ...card, ...changed })
const isCard = (text: string): boolean => rewriteCard(Buffer.from(text), 'https://b').kind === 'card'
const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) })
const extension = (params: object): object => ({ capabilities: { extensions: [{ uri: 'u', params }] } })
const cards = 'gateway/forward/a2a/agent-card.ts'
testBound(cards, 'cardLimits.bytesMax', (size) => isCard(cardWith({}).padEnd(size)))
testBound(cards, 'cardLimits.depthMax', (size) => isCard(cardWith(extension(nested(size - 5)))))
testBound(cards, 'cardLimits.listMax', (size) => isCard(cardWith({ defaultInputModes: Array.from({ length: size }, () => 'm') })))
testBound(cards, 'cardLimits.nameLengthMax', (size) => isCard(cardWith({ name: 'n'.repeat(size) })))
testBound(cards, 'cardLimits.textLengthMax', (size) => isCard(cardWith({ description: 'd'.repeat(size) })))

const completion = (parts: object): string => JSON.stringify({ choices: [{ message: parts }] })
const notesOf = (answer: string): AnswerNotes => {
  const notes = new AnswerNotes('chat.completions')
  notes.takeWhole(JSON.parse(answer))
  return notes
}
testBound('gateway/forward/llm/answer-notes.ts', 'toolCallsMax', (size) => {
  const calls = Array.from({ length: size }, (_, at) => ({ function: { name: `t${at}` } }))
  return notesOf(completion({ tool_calls: calls })).toolCalls.length === size
})
testBound('gateway/forward/llm/answer-notes.ts', 'toolNameLengthMax', (size) => {
  const name = 'a'.repeat(size)
  return notesOf(completion({ tool_calls: [{ function: { name } }] })).toolCalls[0] === name
})
testBound('gateway/forward/llm/answer-notes.ts', 'modelLengthMax', (size) => notesOf(JSON.stringify({ model: 'a'.repeat(size) })).model === 'a'.repeat(size))
testBound('gateway/forward/llm/answer-notes.ts', 'stopReasonLengthMax', (size) => {
  const reason = 'a'.repeat(size)
  return notesOf(JSON.stringify({ choices: [{ finish_reason: reason }] })).stopReason === reason
})
testBound('gateway/forward/llm/read-usage.ts', 'tokensMax', (size) => {
  const usage = { prompt_tokens: size, completion_tokens: 0, total_tokens: size }
  return notesOf(JSON.stringify({ choices: [], usage })).finalUsage(true) !== undefined
})
testBound('gateway/forward/llm/noted-answer.ts', 'readBytesMax', (size) => {
  const notes = new AnswerNotes('chat.completions')
  const reading = new WholeReading(notes)
  reading.pass(Buffer.from(`{"model":"m"}${' '.repeat(size - 13)}`))
  reading.conclude()
  return notes.model === 'm'
})

async function firstEvent(text: string): Promise<{ readonly id?: string; readonly retryMs?: number } | undefined> {
  for await (const event of readEvents(Readable.from([Buffer.from(text)]), 1_000_000)) return event
  return undefined
}
testBound('gateway/forward/mcp/event-stream.ts', 'idLengthMax', async (size) => (await firstEvent(`id: ${'7'.repeat(size)}\ndata: x\n\n`))?.id?.length === size)
testBound('gateway/forward/mcp/event-stream.ts', 'retryMsMax', async (size) => (await firstEvent(`retry: ${size}\n\n`))?.retryMs === size)
testBound('gateway/forward/mcp/upstream-reply.ts', 'messageDepthMax', (size) => {
  const nested = '['.repeat(size - 2) + ']'.repeat(size - 2)
  try {
    return readUpstreamMessage(`{"jsonrpc":"2.0","id":1,"result":{"a":${nested}}}`, 10_000).kind === 'response'
  } catch {
    return false
  }
})
const principal = await principalOf('acme', 'bot')
testBound('gateway/forward/mcp/calls-in-flight.ts', 'callsMax', async (size) => {
  const calls = new CallsInFlight()
  let cancelled = false
  for (let at = 0; at < size; at += 1) calls.add(principal, 's', at, () => Promise.resolve(void (cancelled = at === size - 1)))
  await calls.cancel(principal, 's', size - 1)
  return cancelled
})
const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(64)}\n-----END CERTIFICATE REQUEST-----`
testBound('gateway/control/authority/read-csr.ts', 'csrCharactersMax', async (size) => {
  const read = await readCsr(csr.padEnd(size))
  return read.kind === 'unusable' && !read.reason.includes('larger')
})
testBound('gateway/control/authority/attempt-limit.ts', 'failuresMax', (size) => {
  const attempts = new AttemptLimit()
  for (let at = 0; at < size - 1; at += 1) attempts.fail('192.0.2.1', 0)
  return attempts.waitSeconds('192.0.2.1', 0) === 0
})
testBound('gateway/control/authority/attempt-limit.ts', 'addressesMax', (size) => {
  const attempts = new AttemptLimit()
  for (let at = 0; at < 10; at += 1) attempts.fail('192.0.2.1', 0)
  for (let at = 1; at < size; at += 1) attempts.fail(`10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, 0)
  return attempts.waitSeconds('192.0.2.1', 0) > 0
})
testBound('gateway/control/authority/refusal-sample.ts', 'toldSinglyMax', (size) => {
  const sample = new RefusalSample()
  return Array.from({ length: size }, () => sample.isTold('identity.enrolment-refused', 0)).every(Boolean)
})
testBound('gateway/control/configuration/read-configuration.ts', 'configurationLengthMax', (size) => {
  const read = readConfiguration({ text: 'version: 1'.padEnd(size), fileName: 'sallyport.yaml' })
  return read.kind === 'read' || !read.faults.some(({ message }) => /larger than/.test(message))
})
testBound('gateway/control/configuration/read-configuration.ts', 'faultsMax', (size) => {
  const text = `${Array.from({ length: size }, (_, at) => `unknown${at}: 1`).join('\n')}\n`
  const read = readConfiguration({ text: `version: 1\ntrustDomain: a.example\n${text}`, fileName: 'sallyport.yaml' })
  return read.kind === 'invalid' && (read.faults.length >= size || read.faults.length < faultsMax)
})
testBound('gateway/telemetry/metrics.ts', 'seriesMax', (size) => {
  const metrics = new Metrics()
  for (let at = 0; at < size; at += 1) metrics.count('sallyport_connections_refused_total', { reason: String(at) })
  return metrics.series().every(({ labels }) => labels['other'] === undefined)
})

testBound('runtime/cli/read-enrolment-token.ts', 'tokenCharactersMax', async (size) => {
  const stdin = Readable.from([Buffer.from('a'.repeat(size))])
  return (await readEnrolmentToken({ stdin, env: {} }, { token: '-' }).catch(() => '')).length === size
})
testBound('runtime/link/read-answer.ts', 'problemBytesMax', async (size) => {
  const headers = [
    ['Content-Type', 'application/problem+json'],
    ['Sallyport-Problem', 'policy.denied'],
  ] as const
  const answer = { status: 403, headers, body: Readable.from([Buffer.alloc(size, 0x20)]) }
  return (await separateProblem(answer).catch(() => undefined)) !== undefined
})
const schema = (depth: number): object => (depth === 0 ? { 'x-mcp-header': 'Deep' } : { properties: { a: schema(depth - 1) } })
testBound('runtime/connect/mirrored-arguments.ts', 'depthMax', (size) => {
  const mirrored = mirroredArguments()
  mirrored.learn(JSON.parse(JSON.stringify({ tools: [{ name: 't', inputSchema: schema(size) }] })))
  return mirrored.headers({ name: 't', arguments: JSON.parse('{"a":'.repeat(size) + '1' + '}'.repeat(size)) }).length === 1
})
testBound('runtime/connect/mirrored-arguments.ts', 'mirroredMax', (size) => {
  const mirrored = mirroredArguments()
  const names = Array.from({ length: size }, (_, at) => `m${at}`)
  const properties = Object.fromEntries(names.map((name) => [name, { 'x-mcp-header': name }]))
  mirrored.learn({ tools: [{ name: 't', inputSchema: { properties } }] })
  return mirrored.headers({ name: 't', arguments: Object.fromEntries(names.map((name) => [name, 1])) }).length === size
})
testBound('runtime/connect/mirrored-arguments.ts', 'toolsMax', (size) => {
  const mirrored = mirroredArguments()
  mirrored.learn({ tools: Array.from({ length: size }, (_, at) => ({ name: `t${at}`, inputSchema: { properties: { a: { 'x-mcp-header': 'A' } } } })) })
  return mirrored.headers({ name: `t${size - 1}`, arguments: { a: 1 } }).length === 1
})
testBound('runtime/clients/replace-file.ts', 'bytesMax', async (size) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-limit-'))
  try {
    const path = join(folder, 'client.json')
    writeFileSync(path, Buffer.alloc(size, 0x20))
    return (await readClientConfiguration(path).catch(() => undefined)) !== undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
})
