// Who may know whom at run time (docs/architecture.md). Types may cross where a port is declared, but
// no edge below is needed for that: consumers declare the interfaces they use.
const leaf = ['padata', 'memblock', 'memmap', 'firmware-map'];
const onMemmap = ['buddy-allocator', 'page-init', 'unaccepted-memory'];

// The rooms of a package from the lowest floor up: a room knows those that stand before it, never one after it.
// What is not listed are the entries at the top of src/. Rooms in brackets share a floor and know each other.
const floors = {
  bootmem: [
    [
      'errors.ts',
      'package-info.ts',
      'result.ts',
      'bench-result.ts',
      'explain-result.ts',
      'view-result.ts',
      'what-if-result.ts',
    ],
    'format/',
    'input/',
    'plan/',
    'accounts/',
    'findings/',
    'explain/',
    'views/',
    'worker/',
    'boot/',
    'check/',
    'bench/',
    'what-if/',
    'report/',
    'cli/',
  ],
  'firmware-map': [
    'types/',
    'base/',
    ['options/', 'text/', 'schema/'],
    'records/',
    ['shapes/', 'json/'],
    'read/',
    ['make/', 'derive/'],
  ],
  memblock: ['base/', 'list/', 'core/', 'parts/', 'memblock.ts', ['replay/', 'trace/']],
  padata: [
    'base/',
    'modules/',
    'text/',
    'protocol/',
    'testing/',
    'values/',
    'share/',
    'slot/',
    'levels/',
    'threads/',
    'crew/',
    'range/',
    'arena/',
    'ring/',
    'loose/',
    'turns/',
    'hub/',
    'series/',
    'loop/',
    'worker/',
    'pool/',
    'kernel/',
  ],
  memmap: ['facts/', 'shared/', 'table/', 'map/'],
  'buddy-allocator': [
    'base/',
    'layout/',
    'marks/',
    'lists/',
    'cache/',
    'zone/',
    'machine/',
    'reports/',
    'pool/',
    'objects/',
  ],
  'padata-nats': ['wire/', 'server/', 'watch/', 'run/', 'submit/', 'worker/', 'cli/'],
  'page-init': [
    'profiles.ts',
    'base/',
    'core/',
    'plan/',
    'early/',
    'deferred/',
    'hotplug/',
    'device/',
  ],
  'unaccepted-memory': [
    'releases.ts',
    'base/',
    'table/',
    'backends/',
    'memory/',
    'background/',
    'zone/',
  ],
};

/** The rules of one package: each room knows only those below it, and every room has a floor. */
function roomsOf([name, rooms]) {
  const src = `^packages/${name}/src/`;
  const anyOf = (some) => `${src}(${some.flat().join('|').replaceAll('.', '\\.')})`;
  const rules = rooms.map((room, floor) => ({
    name: `${name}-${[room]
      .flat()
      .join('-')
      .replace(/\.ts|\//g, '')}-looks-down-only`,
    severity: 'error',
    from: { path: anyOf([room]) },
    to: { path: src, pathNot: anyOf(rooms.slice(0, floor + 1)) },
  }));
  return [
    ...rules,
    {
      name: `${name}-room-without-a-floor`,
      severity: 'error',
      from: { path: `${src}[^/]+/`, pathNot: anyOf(rooms) },
      to: {},
    },
  ];
}

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(floors).flatMap(roomsOf),
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
