const gateway = '^packages/gateway/src/'
const story = ['edge', 'identity', 'access', 'policy', 'audit', 'forward']
const neverAhead = story.slice(0, -1).map((stage, index) => ({
  name: `${stage}-never-looks-ahead`,
  severity: 'error',
  from: { path: `${gateway}${stage}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `${gateway}(${story.slice(index + 1).join('|')})/` },
}))

export default {
  forbidden: [
    ...neverAhead,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'contract-knows-neither-door',
      severity: 'error',
      from: { path: '^packages/contract/' },
      to: { path: '^packages/(gateway|runtime|witness)/' },
    },
    {
      name: 'two-doors-meet-in-contract',
      severity: 'error',
      from: { path: '^packages/(gateway|runtime|witness)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/(gateway|runtime|witness)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'stages-know-no-control-and-no-driver',
      severity: 'error',
      from: { path: `${gateway}(${story.join('|')})/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${gateway}(control|drivers|cli|telemetry|export)/` },
    },
    {
      name: 'only-composition-roots-choose-drivers',
      severity: 'error',
      from: { path: '^packages/', pathNot: [`${gateway}(main\\.ts|open-state\\.ts|threads/|drivers/|cli/)`, '\\.test\\.ts$'] },
      to: { path: `${gateway}drivers/` },
    },
    {
      name: 'only-main-starts-threads',
      severity: 'error',
      from: { path: '^packages/', pathNot: [`${gateway}(main\\.ts|threads/)`, '\\.test\\.ts$'] },
      to: { path: `${gateway}threads/` },
    },
    {
      name: 'opentelemetry-has-one-home',
      severity: 'error',
      from: { path: '^packages/', pathNot: `${gateway}telemetry/otlp/` },
      to: { path: '@opentelemetry/' },
    },
    {
      name: 'opentelemetry-is-loaded-only-when-configured',
      severity: 'error',
      from: { path: '^packages/', pathNot: [`${gateway}telemetry/otlp/`, '\\.test\\.ts$'] },
      to: { path: `${gateway}telemetry/otlp/`, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 's3-has-one-home',
      severity: 'error',
      from: { path: '^packages/', pathNot: `${gateway}drivers/s3/` },
      to: { path: '@aws-sdk/' },
    },
    {
      name: 's3-is-loaded-only-when-configured',
      severity: 'error',
      from: { path: `${gateway}drivers/s3/` },
      to: { path: '@aws-sdk/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'sqlite-has-one-home',
      severity: 'error',
      from: { path: gateway, pathNot: [`${gateway}drivers/`, '\\.test\\.ts$'] },
      to: { path: '^(node:)?sqlite$' },
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' } },
}
