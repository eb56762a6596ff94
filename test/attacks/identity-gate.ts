import 'reflect-metadata'
import { randomBytes, randomUUID, webcrypto } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type Extension,
  type JsonGeneralName,
  type JsonName,
} from '@peculiar/x509'
import { parseAgentName, parseTenantName, parseTrustDomain, type AdminEvent, type AgentName, type TenantName } from '@sallyport/contract'
import { openAuthority, type Authority } from '../../packages/gateway/src/control/authority/authority.ts'
import { handleEnrolment } from '../../packages/gateway/src/control/authority/handle-enrolment.ts'
import { makeRoots } from '../../packages/gateway/src/control/authority/roots.ts'
import { openSigner } from '../../packages/gateway/src/control/authority/sign-certificate.ts'
import { SqliteAgentStore } from '../../packages/gateway/src/drivers/sqlite/agent-store.ts'
import { openDatabase } from '../../packages/gateway/src/drivers/sqlite/database.ts'
import type { Answer } from '../../packages/gateway/src/edge/inbound.ts'
import { defaultEdgeLimits } from '../../packages/gateway/src/edge/limits.ts'
import { listen, type EdgeTls } from '../../packages/gateway/src/edge/listen.ts'
import { problemAnswer } from '../../packages/gateway/src/edge/problem-answer.ts'
import { identify, outward } from '../../packages/gateway/src/identity/identify.ts'

/** The agent that the tests enrol. */
export const invoiceBot = { tenant: tenantName('acme'), agent: agentName('invoice-bot') }
export const invoiceBotId = 'spiffe://agents.test/tenant/acme/agent/invoice-bot'
export const trustDomain = parseTrustDomain('agents.test') ?? never()

export interface Held {
  readonly certificatePem: string
  readonly keyPem: string
}

/** The identity stage and its authority behind real TLS listeners. */
export interface Gate {
  readonly directory: string
  readonly authority: Authority
  readonly store: SqliteAgentStore
  readonly clock: { nowMs: number }
  /** The identities that were let through, in order. */
  readonly admitted: string[]
  /** The inner reasons of those that were not. */
  readonly refusals: string[]
  readonly notes: Omit<AdminEvent, 'v' | 'time'>[]
  readonly address: string
  readonly enrolmentAddress: string
  close(): Promise<void>
}

export async function openGate(gatewayAddress?: string): Promise<Gate> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-gate-'))
  const clock = { nowMs: Date.now() }
  const now = (): number => clock.nowMs
  await makeRoots(join(directory, 'ca'), trustDomain, now(), randomBytes)
  const database = openDatabase(join(directory, 'sallyport.db'))
  const store = new SqliteAgentStore(database)
  const notes: Omit<AdminEvent, 'v' | 'time'>[] = []
  const authority = await openAuthority({
    directory: join(directory, 'ca'),
    store,
    names: ['localhost', '127.0.0.1'],
    certificateLifetimeMs: 12 * 3_600_000,
    tokenLifetimeMs: 15 * 60_000,
    ...(gatewayAddress !== undefined && { gatewayAddress }),
    note: async (act) => notes.push(act),
    now,
    random: randomBytes,
  })
  const admitted: string[] = []
  const refusals: string[] = []

  const tls = (): EdgeTls => authority.serverCredentials
  const options = { host: '127.0.0.1', port: 0, limits: defaultEdgeLimits, clock: now, newId: randomUUID, observe: () => undefined }
  const main = await listen({ ...options, tls: tls(), clientCertificates: 'required' }, async (inbound) => {
    const principal = identify(authority.roster, inbound.connection, inbound.receivedAt)
    if (principal.kind === 'refused') {
      refusals.push(`${principal.problem.code}: ${principal.reason}`)
      return problemAnswer(outward(principal.problem), inbound.id)
    }
    admitted.push(principal.id)
    if (inbound.path !== '/sallyport/v1/certificate') return jsonAnswer({ id: principal.id })
    const renewed = await authority.renew(principal, JSON.parse((await readAll(inbound.body?.read() ?? [])).toString()).csr)
    return 'kind' in renewed ? problemAnswer(renewed.problem, inbound.id) : jsonAnswer(renewed)
  })
  const enrolment = await listen({ ...options, tls: tls(), clientCertificates: 'none' }, (inbound) => handleEnrolment(authority, inbound))

  authority.onCut((isCut) => main.cut(isCut))
  authority.onTrustChange((credentials) => {
    main.replaceTls(credentials)
    enrolment.replaceTls(credentials)
  })
  return {
    directory,
    authority,
    store,
    clock,
    admitted,
    refusals,
    notes,
    address: `127.0.0.1:${main.address.port}`,
    enrolmentAddress: `127.0.0.1:${enrolment.address.port}`,
    close: async () => {
      await Promise.all([main.close(), enrolment.close()])
      database.close()
      await rm(directory, { recursive: true })
    },
  }
}

/** Registers the agent and enrols it with a key of its own. */
export async function enrolAgent(gate: Gate, agent = invoiceBot): Promise<Held> {
  const token = await tokenFor(gate, agent)
  const { csrPem, keyPem } = await makeCsr()
  const answer = await gate.authority.enrol(token, csrPem, '127.0.0.1')
  if ('kind' in answer) throw new Error(answer.reason)
  return { certificatePem: answer.certificatePem, keyPem }
}

export async function tokenFor(gate: Gate, agent = invoiceBot): Promise<string> {
  await gate.authority.agents.register(agent, 'ada')
  const made = await gate.authority.agents.createToken(agent, 'ada')
  if (made.kind === 'refused') throw new Error(made.reason)
  return made.token
}

export async function makeCsr(name: JsonName = [], extensions: Extension[] = []): Promise<{ readonly csrPem: string; readonly keyPem: string }> {
  const keys = await newKeys()
  const request = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm, extensions })
  return { csrPem: request.toString('pem'), keyPem: await keyPemOf(keys.privateKey) }
}

/** A certificate under the gate's own root that the authority would never issue: what an authority with a bug, or another user of the root, could. */
export async function forge(gate: Gate, names: JsonGeneralName[], subject: JsonName = []): Promise<Held> {
  const root = gate.authority.roots.at(-1) ?? never()
  const folder = join(gate.directory, 'ca')
  const trust: { roots: string[] } = JSON.parse(await readFile(join(folder, 'trust.json'), 'utf8'))
  const signer = await openSigner(trust.roots.at(-1) ?? '', await readFile(join(folder, `root-${root.fingerprint}.key`), 'utf8'))
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex'),
    subject,
    issuer: signer.certificate.subjectName,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names, false)] : []),
    ],
  })
  return { certificatePem: certificate.toString('pem'), keyPem: await keyPemOf(keys.privateKey) }
}

/** A client that keeps its connection, as agents do. */
export function clientOf(gate: Gate, { certificatePem, keyPem }: Held): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: 1,
    cert: certificatePem,
    key: keyPem,
    ca: gate.authority.serverCredentials.certificatePem.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)?.at(-1) ?? never(),
    minVersion: 'TLSv1.3',
  })
}

export interface Called {
  readonly status: number
  readonly body: { readonly code?: string; readonly id?: string; readonly detail?: string }
  /** Whether the request went over a connection that an earlier one had opened. */
  readonly isReused: boolean
}

/** One request; rejects when the connection is refused or cut. */
export async function call(gate: Gate, client: Agent): Promise<Called> {
  const [host, port] = gate.address.split(':')
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, path: '/', agent: client }, (incoming) => {
      readAll(incoming).then((bytes) => {
        resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(bytes.toString()), isReused: outgoing.reusedSocket })
      }, reject)
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}

/** What an agent on one fresh connection gets. */
export async function callOnce(gate: Gate, held: Held): Promise<Called> {
  const client = clientOf(gate, held)
  try {
    return await call(gate, client)
  } finally {
    client.destroy()
  }
}

const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }

function jsonAnswer(value: unknown): Answer {
  return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(JSON.stringify(value)) }
}

async function readAll(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces)
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
}

async function keyPemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')}\n-----END PRIVATE KEY-----\n`
}

function tenantName(text: string): TenantName {
  return parseTenantName(text) ?? never()
}

function agentName(text: string): AgentName {
  return parseAgentName(text) ?? never()
}

function never(): never {
  throw new Error('the test is wrong')
}
