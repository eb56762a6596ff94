/**
 * What Sallyport must do, one row each. An id never changes its meaning; tests cite it in brackets in their titles.
 *
 * `claimed` says that the promise is kept today. A claimed promise without a test that cites it fails the suite, and the README's table is compared with this list.
 */
export interface PromiseRow {
  readonly id: string
  readonly who: string
  readonly promise: string
  readonly claimed: boolean
}

const rows: readonly (readonly [id: string, who: string, promise: string])[] = [
  ['S1', 'gateway', "Sessions are validated outside the agent's process, where a compromised agent cannot get around it."],
  ['S2', 'gateway', 'OAuth flows end at the gateway; agents and runtimes never see a token of the identity provider.'],
  ['S3', 'gateway', "It issues its own tickets, minutes long, bound to the agent's certificate."],
  [
    'S4',
    'gateway',
    'It never takes a runtime’s word for a session: each refresh is validated by itself, and each success names the validation that allowed it.',
  ],
  ['S5', 'both', 'Under no interleaving does a refresh skip session validation, and a leaked refresh token alone rotates nothing.'],
  ['S6', 'runtime', 'It keeps a refresh check of its own and leaves its most sensitive routes to the gateway.'],
  ['S7', 'gateway', 'A slow, flapping or lying identity provider opens no way around the session store.'],
  ['S8', 'gateway', 'Odd refresh traffic is seen, written down and alerted on.'],
  ['S9', 'project', 'Tests run against slow and odd real identity providers, registries and stores.'],
  ['S10', 'gateway', 'A restart is safe at any instant: sessions survive or die cleanly, none becomes weaker.'],
  ['A1', 'runtime', 'It verifies the Ed25519 signature of every plugin at load against a pinned allowlist.'],
  ['A2', 'runtime', 'An unsigned, tampered, revoked or unknown artifact is rejected before any of its code runs.'],
  ['A3', 'runtime', 'Enforcement depends on the environment, strict in production, and the log shows which.'],
  ['A4', 'gateway', 'Artifacts are verified at the network edge as they are fetched.'],
  ['A5', 'gateway', 'Artifacts are verified again at rest, on a schedule and on every serve.'],
  ['A6', 'both', 'Two verifiers with separate key stores and processes, and a report of where they disagree.'],
  ['A7', 'gateway', 'The registry is reached over mutual TLS.'],
  ['A8', 'gateway', 'Known-good artifacts are cached by digest and served while the registry is down.'],
  ['A9', 'gateway', 'Pulls from unknown address ranges are refused.'],
  ['A10', 'registry', 'Several registries, each with its own keys; every plugin carries a valid signature of a trusted one.'],
  ['A11', 'registry', 'Public keys are published out of band, where the gateway reads them too.'],
  ['A12', 'operator', 'Registry addresses can be pinned; a hijacked resolver changes nothing.'],
  ['A13', 'operator', "Signing keys live in an HSM or KMS, out of agents' reach."],
  ['A14', 'both', 'Neither artifacts nor audit records travel unauthenticated.'],
  ['A15', 'gateway', 'A validly signed but malicious plugin is still stopped: cool-down, capability diff, denylists and behaviour rules.'],
  ['T1', 'runtime', 'All outbound tool calls go through the gateway; sandboxed plugins have no other way out.'],
  ['T2', 'gateway', 'It stands between agents and all they call: HTTP APIs, MCP servers, models, databases, payments, other agents.'],
  ['T3', 'gateway', 'Behaviour rules look at the shape of traffic, whatever a plugin claims.'],
  ['T4', 'gateway', 'Exfiltration is cut off even when the runtime trusts the plugin.'],
  ['T5', 'gateway', 'Only authenticated, authorised, within-quota, recorded requests are forwarded.'],
  ['T6', 'gateway', 'Strict quotas for each tenant, agent and tool.'],
  ['T7', 'runtime', 'An optional throttle for each skill.'],
  ['T8', 'gateway', 'Load is shed before it reaches the runtime or an upstream.'],
  ['T9', 'gateway', 'No check is dropped to keep throughput: under flood, checks done are never below requests accepted.'],
  ['T10', 'gateway', "One tenant's spike takes no other's share and nobody's enforcement."],
  ['T11', 'gateway', 'No rule can be disabled or overridden by an agent.'],
  ['T12', 'gateway', 'It scales by adding nodes; quotas and sessions hold across them.'],
  ['T13', 'gateway', 'Rules in a documented syntax and a standard expression language, with shadow mode and replay.'],
  ['T14', 'gateway', 'A person can be asked: the approval is bound to the exact call, single use, expiring.'],
  ['T15', 'gateway', 'Agents never hold upstream credentials; the gateway injects them.'],
  ['L1', 'gateway', "The audit is written at the perimeter, tamper-evident and append-only, away from the agent's host."],
  ['L2', 'both', "Records are central before they touch the agent's host; retention there can be zero."],
  ['L3', 'runtime', '`agentport://host:port` is an authenticated log channel.'],
  ['L4', 'gateway', 'No record, no action: the decision is durable before the request leaves.'],
  ['L5', 'gateway', 'An outsider can verify the log with software that is not ours, with independent witnesses.'],
  ['L6', 'gateway', 'Active configuration is immutable and changes only with the signatures of several people.'],
  ['L7', 'gateway', 'Evidence for SOC 2 and ISO 27001 over a period, computed from the verified log, gaps stated.'],
  ['L8', 'operator', 'A production checklist as a command that checks the environment.'],
  ['L9', 'both', 'Separation of duties: functional checks in the runtime, integrity enforcement in the gateway.'],
  ['D1', 'operator', 'Runnable deployment files put the gateway on its own subnet with only its ingress public.'],
  ['D2', 'both', 'Agents reach the gateway over mutual TLS only.'],
  ['D3', 'runtime', 'The agent manifest loads verbatim.'],
  ['D4', 'gateway', 'The interface is versioned and tested for compatibility.'],
  ['R1', 'gateway', 'Every refresh token issued before a date can be invalidated by issue time.'],
  ['R2', 'gateway', 'Client credentials at the identity provider are revoked and reissued, ending with the proof that the old one fails.'],
  ['R3', 'gateway', 'Refresh lifetime is configuration, enforced by the gateway.'],
  ['R4', 'gateway', 'Registry keys rotate: new pairs, artifacts signed again, allowlists updated, before the old keys expire.'],
  ['R5', 'operator', 'Private keys move into an HSM or KMS.'],
  ['R6', 'gateway', 'The hunt: refreshes between two dates without a matching session validation.'],
  ['R7', 'gateway', 'What the hunt finds is treated as breached: quarantined, reauthentication forced.'],
  ['R8', 'gateway', 'No partial repair: a status shows what is left and refuses to retire a key that is still needed.'],
  ['I1', 'both', 'A formal, versioned, documented interface between runtime and gateway.'],
  ['I2', 'runtime', 'It exposes policy hooks that the gateway consumes.'],
  ['I3', 'gateway', 'It exports telemetry that the runtime reads to choose skills.'],
  ['I4', 'both', 'Two processes, attestation both ways, neither collapses into the other.'],
  ['I5', 'runtime', 'It keeps agent reasoning, tool selection, context window and internal state.'],
  ['I6', 'runtime', 'Existing frameworks join through adapters, OpenClaw first.'],
  ['F1', 'gateway', 'A unique mutual-TLS identity for each agent.'],
  ['F2', 'gateway', 'Every agent-to-agent request shows a valid certificate at the gateway.'],
  ['F3', 'gateway', 'Delegation is an explicit, attenuated, depth-limited chain.'],
  ['F4', 'gateway', 'Automatic verification across hundreds of agents and several registries, with a drift report.'],
  ['F5', 'gateway', 'Policy over the whole delegation graph.'],
]

const claimed: ReadonlySet<string> = new Set(['T5', 'T6', 'T9', 'T11', 'T14', 'T15', 'D2', 'F1', 'L1', 'L4'])

export const promises: readonly PromiseRow[] = rows.map(([id, who, promise]) => ({ id, who, promise, claimed: claimed.has(id) }))
