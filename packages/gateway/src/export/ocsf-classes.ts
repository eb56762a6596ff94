/** Classes by their number, and the category of each. */
export const classes = {
  other: { uid: 0, category: 0 },
  authentication: { uid: 3002, category: 3 },
  entityManagement: { uid: 3004, category: 3 },
  applicationLifecycle: { uid: 6002, category: 6 },
  apiActivity: { uid: 6003, category: 6 },
} as const

export const severity = { informational: 1, low: 2, medium: 3 } as const
export const status = { unknown: 0, success: 1, failure: 2, other: 99 } as const
export const other = 99
/** Of the profile "security control". */
export const allowed = { action_id: 1, disposition_id: 1 } as const
export const blocked = { action_id: 2, disposition_id: 2 } as const
/** Neither: a person is asked first. */
export const delayed = { action_id: other, action: 'Held', disposition_id: 14 } as const

/** What of an OCSF event its class and its entry decide. */
export interface Mapped {
  readonly of: keyof typeof classes
  readonly activity: number
  /** For activity 99. */
  readonly activityName?: string
  readonly severity: number
  readonly members: Readonly<Record<string, unknown>>
  readonly tenant?: string | undefined
  /** What entries that belong together have in common: the request, or the session. */
  readonly correlation?: string | undefined
}
