export * from './agent-interface.ts'
export * from './caller-assertion.ts'
export * from './client-login.ts'
export { archiveEveryMsRange, retainMsRange, type ArchiveConfiguration } from './configuration/archive.ts'
export { captureModes, type CaptureConfiguration, type CaptureMode } from './configuration/capture.ts'
export { configuration, configurationJsonSchema, type Configuration } from './configuration/configuration.ts'
export { duration, durationMs, size, sizeBytes, type MatchConfiguration } from './configuration/fields.ts'
export { certificateLifetimeMsRange, clusterTrustMsRange, defaultAddresses, type ClusterConfiguration } from './configuration/gateway.ts'
export { exportsMax, type ExportConfiguration } from './configuration/log.ts'
export type { QuotaConfiguration, ResultRuleConfiguration, RuleConfiguration } from './configuration/policy.ts'
export { heartbeatMsRange, type RuntimesConfiguration } from './configuration/runtimes.ts'
export { sessionLifetimeMsRange, ticketLifetimeMsRange, type IdentityProviderConfiguration, type SessionsConfiguration } from './configuration/sessions.ts'
export { metricsIntervalMsMin, type AlertsConfiguration, type TelemetryConfiguration } from './configuration/telemetry.ts'
export type {
  A2aUpstreamConfiguration,
  HttpUpstreamConfiguration,
  LlmUpstreamConfiguration,
  McpHttpUpstreamConfiguration,
  McpStdioUpstreamConfiguration,
  OperationConfiguration,
  UpstreamConfiguration,
} from './configuration/upstreams.ts'
export * from './enrolment.ts'
export * from './events.ts'
export * from './exit-codes.ts'
export * from './fault.ts'
export * from './fold-name.ts'
export * from './gathered-bytes.ts'
export * from './json.ts'
export * from './logging-configuration.ts'
export * from './names.ts'
export * from './problem.ts'
export * from './runtime-records.ts'
export * from './system-error.ts'
export * from './ticket.ts'
export * from './token-exchange.ts'
