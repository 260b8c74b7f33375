// Who may know whom at run time (docs/architecture.md). Types may cross where a port is declared, but
// no edge below is needed for that: consumers declare the interfaces they use.
const leaf = ['padata', 'memblock', 'memmap', 'firmware-map'];
const onMemmap = ['buddy-allocator', 'page-init', 'unaccepted-memory'];

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'packages-by-name-only',
      severity: 'error',
      comment: 'No package reaches into the files of another.',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/([^/]+)/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'declared-only',
      severity: 'error',
      from: { path: '^packages/[^/]+/src' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    ...leaf.map((name) => ({
      name: `${name}-knows-nobody`,
      severity: 'error',
      from: { path: `^packages/${name}/src` },
      to: { path: `^packages/(?!${name}/)` },
    })),
    {
      name: 'padata-nats-knows-only-padata',
      severity: 'error',
      from: { path: '^packages/padata-nats/src' },
      to: { path: '^packages/(?!(padata-nats|padata)/)' },
    },
    ...onMemmap.map((name) => ({
      name: `${name}-knows-only-memmap`,
      severity: 'error',
      from: { path: `^packages/${name}/src` },
      to: { path: `^packages/(?!(${name}|memmap)/)` },
    })),
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      conditionNames: ['@bootmem/source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
