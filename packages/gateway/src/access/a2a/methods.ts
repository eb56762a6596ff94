/** How a method of A2A is read. */
export interface MethodRow {
  /** Members of its params, in the one spelling of the specification: parsers of Protocol Buffers take `task_id` for `taskId`. */
  readonly members: readonly string[]
  /** The member that names the task. */
  readonly task: 'id' | undefined
  readonly isSubscription?: true
}

const message = ['tenant', 'message', 'configuration', 'metadata']

/**
 * All that an agent may ask of another. What registers a webhook is missing on purpose: the other agent would send what it does for the one to an address that no
 * rule has seen, with a credential that the one has told it.
 *
 * @see A2A 1.0 sections 5.3 and 9.4
 */
const methods: Readonly<Record<string, MethodRow>> = {
  SendMessage: { members: message, task: undefined },
  SendStreamingMessage: { members: message, task: undefined },
  GetTask: { members: ['tenant', 'id', 'historyLength'], task: 'id' },
  ListTasks: {
    members: ['tenant', 'contextId', 'status', 'pageSize', 'pageToken', 'historyLength', 'statusTimestampAfter', 'includeArtifacts'],
    task: undefined,
  },
  CancelTask: { members: ['tenant', 'id', 'metadata'], task: 'id' },
  SubscribeToTask: { members: ['tenant', 'id'], task: 'id', isSubscription: true },
}

/** What the specification has beside them. */
const webhooks: ReadonlySet<string> = new Set([
  'CreateTaskPushNotificationConfig',
  'GetTaskPushNotificationConfig',
  'ListTaskPushNotificationConfigs',
  'DeleteTaskPushNotificationConfig',
])

export function methodRow(method: string): MethodRow | undefined {
  return Object.hasOwn(methods, method) ? methods[method] : undefined
}

export function isWebhookMethod(method: string): boolean {
  return webhooks.has(method)
}
