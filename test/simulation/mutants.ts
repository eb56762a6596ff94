/** A mistake that someone could make in the refresh of sessions, as changes of the source text. */
export interface Mutant {
  readonly name: string
  readonly mistake: string
  readonly patches: readonly { readonly file: string; readonly find: string; readonly put: string }[]
}

const sessions = 'packages/gateway/src/control/sessions/'
const driver = 'packages/gateway/src/drivers/sqlite/session-store.ts'

export const mutants: readonly Mutant[] = [
  {
    name: 'skipProofOnRetry',
    mistake: 'the proof is asked for once, and a wait goes on with that',
    patches: [
      { file: `${sessions}sessions.ts`, find: '      const proof = askProof()\n      if', put: '      const proof = (kept ??= askProof())\n      if' },
      {
        file: `${sessions}sessions.ts`,
        find: '    let prepared: Prepared | undefined\n',
        put: '    let kept: ReturnType<AskProof> | undefined\n    let prepared: Prepared | undefined\n',
      },
      { file: `${sessions}sessions.ts`, find: '  const now = askProof()\n  return', put: '  const now = proof\n  return' },
    ],
  },
  {
    name: 'skipProofWhenInFlight',
    mistake: 'while a flight is under way, whoever shows the handle may wait for it',
    patches: [
      { file: `${sessions}gate.ts`, find: '  if (notProven) return', put: "  if (notProven && session.state !== 'refreshing') return" },
      {
        file: `${sessions}gate.ts`,
        find: '  const owned = { ...session, certificate: proof.thumbprint }',
        put: '  const owned = notProven ? session : { ...session, certificate: proof.thumbprint }',
      },
      {
        file: `${sessions}gate.ts`,
        find: '  const rebound = session.certificate === proof.thumbprint ? {} : { session: owned }',
        put: '  const rebound = notProven || session.certificate === proof.thumbprint ? {} : { session: owned }',
      },
    ],
  },
  {
    name: 'proofAfterIdp',
    mistake: 'the provider is asked first, and the proof is wanted for the answer',
    patches: [
      { file: `${sessions}gate.ts`, find: '  if (notProven) return', put: '  if (notProven && generation !== session.generation) return' },
      {
        file: `${sessions}gate.ts`,
        find: '  const owned = { ...session, certificate: proof.thumbprint }',
        put: '  const owned = notProven ? session : { ...session, certificate: proof.thumbprint }',
      },
    ],
  },
  {
    name: 'noFence',
    mistake: 'a flight lands whatever has happened meanwhile',
    patches: [
      {
        file: `${sessions}steps.ts`,
        find: "  return state === 'refreshing' && fence === flight.fence",
        put: '  return state.length > 0 && fence >= flight.fence',
      },
    ],
  },
  {
    name: 'windowAnyGen',
    mistake: 'within the window every handle of the session gets the successor',
    patches: [
      { file: `${sessions}gate.ts`, find: '  if (generation < session.generation - 1) return end(', put: '  if (generation < 0) return end(' },
      { file: `${sessions}gate.ts`, find: '  if (generation === session.generation - 1) {', put: '  if (generation < session.generation) {' },
    ],
  },
  {
    name: 'autoRetry',
    mistake: 'a request without a clear answer is sent once more',
    patches: [
      {
        file: `${sessions}fly.ts`,
        find: '  const answer = await ask(ports, terms, flight, token)',
        put: "  let answer = await ask(ports, terms, flight, token)\n  if (answer.kind === 'unknown') answer = await ask(ports, terms, flight, token)",
      },
    ],
  },
  {
    name: 'respondBeforeCommit',
    mistake: 'the caller has its answer while the store still takes it',
    patches: [
      {
        file: `${sessions}fly.ts`,
        find: '  const generation = flight.generation + 1\n  const outcome = await insist(ports, (landed) => ports.store.commitFlight(flight, landed), landedOf(ports, flight, token, tokens))',
        put: "  const generation = flight.generation + 1\n  const made = landedOf(ports, flight, token, tokens)\n  ports.early?.({ kind: 'answer', session, owner, generation, issuer: flight.issuer, subject: flight.subject, scopes: made.scopes, sealedHandle: made.handle.sealed, at: 0, expiresAt: 1 })\n  const outcome = await insist(ports, (landed) => ports.store.commitFlight(flight, landed), made)",
      },
      {
        file: `${sessions}fly.ts`,
        find: '  readonly orphaned: () => void\n',
        put: '  readonly orphaned: () => void\n  readonly early?: (answer: any) => void\n',
      },
      {
        file: `${sessions}sessions.ts`,
        find: '    const ports = { ...this.#ports, orphaned: () => void this.returnOrphans() }',
        put: '    const early = Promise.withResolvers()\n    const ports = { ...this.#ports, orphaned: () => void this.returnOrphans(), early: early.resolve }',
      },
      {
        file: `${sessions}sessions.ts`,
        find: '= { proof, validation: undefined,',
        put: '= { proof, early: early.promise, validation: undefined,',
      },
      {
        file: `${sessions}sessions.ts`,
        find: '          own = this.#launch(verdict.flight, proof)\n',
        put: '          own = this.#launch(verdict.flight, proof)\n          { const early = await Promise.race([own.early, own.done]); if (early) return (await this.#prepare(act, early, proof, own)).grant }\n',
      },
    ],
  },
  {
    name: 'nodeClock',
    mistake: 'leases and windows are judged by the clock of whichever node asks',
    patches: [
      {
        file: `${sessions}sessions.ts`,
        find: 'this.#ports.store.gate(digest, proof, descendsFrom))',
        put: 'this.#ports.store.gate(digest, proof, descendsFrom, this.#ports.now()))',
      },
      {
        file: driver,
        find: '  gate(handleDigest: string, proof: Proof, descendsFrom?: Thumbprint): Promise<Verdict> {',
        put: '  gate(handleDigest, proof, descendsFrom, now) {',
      },
      { file: driver, find: 'gate(found, proof, descendsFrom, at, this.#terms)', put: 'gate(found, proof, descendsFrom, now, this.#terms)' },
    ],
  },
  {
    name: 'noSingleFlight',
    mistake: 'whoever comes while a flight is under way begins another one',
    patches: [
      { file: `${sessions}gate.ts`, find: "  if (session.state !== 'active') {", put: "  if (session.state === 'uncertain') {" },
      {
        file: `${sessions}sessions.ts`,
        find: '          own = this.#launch(verdict.flight, proof)\n',
        put: '          own = this.#launch(verdict.flight, proof)\n          await own.done\n',
      },
    ],
  },
  {
    name: 'failOpen',
    mistake: 'whoever has waited too long gets a ticket for what it has',
    patches: [
      {
        file: `${sessions}sessions.ts`,
        find: 'return this.#comeBack(verdict, proof)',
        put: "return { session: verdict.session, handle: '', ticket: ` ${proof.thumbprint} `, ticketExpiresAt: 0, sessionExpiresAt: 1 }",
      },
    ],
  },
  {
    name: 'noLineage',
    mistake: 'any certificate of the agent counts as a renewal',
    patches: [{ file: `${sessions}sessions.ts`, find: '(await this.#ports.lineage.descends(proof, first.bound))', put: '(await Promise.resolve(true))' }],
  },
  {
    name: 'noClosingGate',
    mistake: 'an answer is given when it is made, without asking the gate again',
    patches: [
      {
        file: `${sessions}sessions.ts`,
        find: '          prepared = await this.#prepare(act, verdict, proof, own)\n',
        put: '          prepared = await this.#prepare(act, verdict, proof, own)\n          return prepared.grant\n',
      },
    ],
  },
  {
    name: 'noQuarantine',
    mistake: 'after an answer that leaves everything open the provider is asked again at once',
    patches: [{ file: `${sessions}steps.ts`, find: 'heldUntil: at + terms.quarantineMs', put: 'heldUntil: at' }],
  },
  {
    name: 'replayAfterUse',
    mistake: 'the answer is repeated although its handle has been used',
    patches: [
      { file: `${sessions}gate.ts`, find: '      sealedHandle: undefined,\n', put: '' },
      { file: `${sessions}gate.ts`, find: 'session.isHandleUsed || !session.sealedHandle', put: '!session.sealedHandle' },
    ],
  },
  {
    name: 'validatedLater',
    mistake: 'the provider is asked while the entry is still being written',
    patches: [
      {
        file: `${sessions}fly.ts`,
        find: '    validation = await ports.log.write(',
        put: '    validation = 0\n    void ports.log.write(',
      },
    ],
  },
  {
    name: 'revokedFlightLands',
    mistake: 'to revoke changes the state and not the fence, and a flight asks only for the fence',
    patches: [
      { file: `${sessions}session-record.ts`, find: 'fence: session.fence + 1, sealedHandle', put: 'sealedHandle' },
      {
        file: `${sessions}steps.ts`,
        find: "  return state === 'refreshing' && fence === flight.fence",
        put: '  return state.length > 0 && fence === flight.fence',
      },
    ],
  },
  {
    name: 'orphanForgotten',
    mistake: 'a token that comes too late is dropped',
    patches: [
      {
        file: `${sessions}steps.ts`,
        find: "return { result: 'fenced', ...(landed.isTokenNew && {",
        put: "return { result: 'fenced', ...(landed.sealedToken.length === 0 && {",
      },
    ],
  },
  {
    name: 'thiefEndsTheSession',
    mistake: 'a handle without its key counts as a sign of theft, and ends the session',
    patches: [
      { file: `${sessions}gate.ts`, find: '  if (notProven) return { result: notProven }', put: "  if (notProven) return end(session, 'revoked', 'stolen')" },
    ],
  },
  {
    name: 'commitNotRepeatable',
    mistake: 'a flight that had landed is taken for fenced when its answer was lost',
    patches: [{ file: `${sessions}steps.ts`, find: "  if (isKnown) return { result: 'landed' }\n", put: '' }],
  },
]
