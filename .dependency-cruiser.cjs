/** The arrows of the architecture: gateway → engine, gateway → actors, actors → engine; engine knows nothing of retail. */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'engine-knows-no-retail',
      severity: 'error',
      from: { path: '^engine/' },
      to: { path: '^(actors|gateway|bench|test)/' },
    },
    {
      name: 'actors-know-no-edges',
      severity: 'error',
      from: { path: '^actors/' },
      to: { path: '^(gateway|bench|test)/' },
    },
    {
      name: 'actors-do-no-io',
      comment: 'Actors are pure: only computation may be imported. Their tests may do as they like.',
      severity: 'error',
      from: { path: '^actors/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?assert' },
    },
    { name: 'product-needs-no-bench', severity: 'error', from: { path: '^gateway/' }, to: { path: '^(bench|test)/' } },
    {
      name: 'client-stands-alone',
      comment: 'The client is what others embed: it may know the wire format, not the server.',
      severity: 'error',
      from: { path: '^gateway/client/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(engine|bench|test|gateway/(http|websocket|operations|cli)/)' },
    },
    {
      name: 'not-to-dev-dep',
      severity: 'error',
      from: { path: '^(engine|actors|gateway)/', pathNot: '\\.test\\.ts$|\\.contract\\.ts$' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
