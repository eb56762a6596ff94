/** What one agent has open at the listener. */
export interface AgentLoad {
  readonly requestsInFlight: number
  beginRequest(): void
  /** To be called once for each `beginRequest`. */
  endRequest(): void
  /** To be called once, when the connection that the load was given for has ended; its requests may end later. */
  disconnect(): void
}

/** Counts connections and requests by agent. An agent without either takes no memory. */
export class AgentLoads {
  readonly #counts = new Map<string, Counts>()

  /** Counts one more connection of the agent, or gives undefined when it has `connectionsMax`. */
  connect(agent: string, connectionsMax: number): AgentLoad | undefined {
    const counts = this.#counts.get(agent) ?? { connections: 0, requestsInFlight: 0 }
    if (counts.connections >= connectionsMax) return undefined
    counts.connections += 1
    this.#counts.set(agent, counts)
    const forget = (): void => {
      if (counts.connections === 0 && counts.requestsInFlight === 0) this.#counts.delete(agent)
    }
    return {
      get requestsInFlight() {
        return counts.requestsInFlight
      },
      beginRequest() {
        counts.requestsInFlight += 1
      },
      endRequest() {
        counts.requestsInFlight -= 1
        forget()
      },
      disconnect() {
        counts.connections -= 1
        forget()
      },
    }
  }
}

interface Counts {
  connections: number
  requestsInFlight: number
}
