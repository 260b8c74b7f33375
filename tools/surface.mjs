// `npm run surface [-- NAME…] [--update] [--enforce]`: what the packages offer. Reads the built declarations of every
// entry in package.json `exports` and counts the names in them, types included, entry by entry. A name needs a
// docstring, and every package keeps within tools/surface.json. The names and their signatures are written to
// packages/*/surface.md with --update and compared with it without, so that a review sees each change of them.
// Findings are warnings; with --enforce they fail.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { ensureEnv } from './envs.mjs';

const ts = createRequire(join(ensureEnv('lint'), 'package.json'))('typescript');

const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = options.find((option) => option !== '--update' && option !== '--enforce');
if (unknown !== undefined) {
  console.error(
    `unknown option ${unknown}\nusage: npm run surface [-- NAME…] [--update] [--enforce]`,
  );
  process.exit(2);
}
const update = options.includes('--update');
const enforce = options.includes('--enforce');
const budgets = JSON.parse(readFileSync('tools/surface.json', 'utf8'));

/** Every entry of every package: where its declarations are. */
const entries = readdirSync('packages')
  .filter((dir) => existsSync(`packages/${dir}/package.json`))
  .flatMap((dir) =>
    Object.entries(JSON.parse(readFileSync(`packages/${dir}/package.json`, 'utf8')).exports)
      .filter(([, target]) => target.types !== undefined)
      .map(([entry, target]) => ({ dir, entry, file: resolve('packages', dir, target.types) })),
  );
const packages = [...new Set(entries.map(({ dir }) => dir))];
const program = ts.createProgram(
  entries.map(({ file }) => file),
  {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    skipLibCheck: true,
    noEmit: true,
  },
);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });
const oneLine = (node) =>
  printer
    .printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
    .replaceAll(/\s+/g, ' ')
    .replace(/^export /, '')
    .replace(/^declare /, '')
    .trim()
    .replace(/;$/, '');
const isOurs = (node) => /\/packages\/[^/]+\/dist\//.test(node.getSourceFile().fileName);
const isHidden = (node) =>
  (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0 ||
  (node.name !== undefined && ts.isPrivateIdentifier(node.name));

/** A class's or interface's members, those of its ancestors in our packages included; a line each. */
function members(symbol, declaration) {
  const instance = checker.getDeclaredTypeOfSymbol(symbol);
  const lines = (properties) =>
    properties
      .flatMap((property) => property.declarations ?? [])
      .filter((node) => isOurs(node) && !isHidden(node))
      .map(oneLine);
  if (!ts.isClassDeclaration(declaration)) return lines(checker.getPropertiesOfType(instance));
  const statics = checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol));
  const constructors = declaration.members.filter(ts.isConstructorDeclaration);
  return [
    ...constructors.filter((node) => !isHidden(node)).map(oneLine),
    ...lines(statics.filter((property) => property.name !== 'prototype')),
    ...lines(checker.getPropertiesOfType(instance)),
  ];
}

/** First line and member lines of one declaration. */
function signature(name, symbol, declaration) {
  if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
    const kind = ts.isClassDeclaration(declaration) ? 'class' : 'interface';
    const generics = declaration.typeParameters?.map(oneLine).join(', ');
    const heritage = (declaration.heritageClauses ?? []).map(oneLine).join(' ');
    const head = `${kind} ${name}${generics === undefined ? '' : `<${generics}>`} ${heritage}`;
    return [head.trim(), ...members(symbol, declaration).map((line) => `  ${line}`)];
  }
  if (ts.isVariableDeclaration(declaration)) return [`const ${oneLine(declaration)}`];
  if (ts.isSourceFile(declaration) || ts.isNamespaceExport(declaration))
    return [`namespace ${name}`];
  return [oneLine(declaration)];
}

/** The names of one entry, sorted: signature lines and whether a docstring is at the declaration. */
function namesOf({ file }) {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} is not a module: is it built?`);
  return checker
    .getExportsOfModule(module)
    .map((exported) => {
      const symbol =
        (exported.flags & ts.SymbolFlags.Alias) === 0
          ? exported
          : checker.getAliasedSymbol(exported);
      const declarations = symbol.declarations ?? [];
      if (declarations.length === 0) throw new Error(`${file}: ${exported.name} leads nowhere`);
      return {
        name: exported.name,
        documented: symbol.getDocumentationComment(checker).length > 0,
        lines: declarations.flatMap((node) => signature(exported.name, symbol, node)),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const findings = [];
const total = { main: 0, all: 0 };
const table = [];
for (const dir of packages) {
  const { name } = JSON.parse(readFileSync(`packages/${dir}/package.json`, 'utf8'));
  const counts = { main: 0, all: 0 };
  const undocumented = new Set();
  const report = [
    `# What ${name} exports`,
    '',
    'Every name of every entry, with its signature. Generated: `npm run surface -- --update`.',
    '',
  ];
  for (const entry of entries.filter((candidate) => candidate.dir === dir)) {
    const names = namesOf(entry);
    counts.all += names.length;
    if (entry.entry === '.') counts.main += names.length;
    for (const { name: exported, documented } of names) if (!documented) undocumented.add(exported);
    report.push(
      `## \`${entry.entry === '.' ? name : name + entry.entry.slice(1)}\`: ${names.length} names`,
      '',
      '```ts',
      ...names.flatMap(({ lines }) => lines),
      '```',
      '',
    );
  }
  total.main += counts.main;
  total.all += counts.all;
  const budget = budgets.packages[dir];
  const over = (part) => budget === undefined || counts[part] > budget[part];
  const cell = (part) => `${counts[part]} of ${budget?.[part] ?? 'none'}${over(part) ? ' !' : ''}`;
  table.push([name, cell('main'), cell('all'), String(undocumented.size)]);
  if (wanted.length > 0 && !wanted.includes(dir) && !wanted.includes(name)) continue;

  for (const part of ['main', 'all'])
    if (over(part))
      findings.push(
        `${name}: ${counts[part]} names (${part}), tools/surface.json allows ${budget?.[part] ?? 'none'}`,
      );
  if (undocumented.size > 0)
    findings.push(`${name}: no docstring at ${[...undocumented].sort().join(', ')}`);
  const path = `packages/${dir}/surface.md`;
  const text = `${report.join('\n').trimEnd()}\n`;
  if (update) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text)
    findings.push(
      `${name}: the surface changed; look at it, then npm run surface -- ${dir} --update`,
    );
}
for (const part of ['main', 'all'])
  if (total[part] > budgets[part])
    findings.push(`all packages: ${total[part]} names (${part}), the bound is ${budgets[part]}`);

table.unshift(['package', 'main entry', 'all entries', 'undocumented']);
table.push(['together', `${total.main} of ${budgets.main}`, `${total.all} of ${budgets.all}`, '']);
const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
for (const row of table)
  console.log(
    row
      .map((text, column) => text.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
for (const finding of findings) console.error(`${enforce ? '' : 'warning: '}${finding}`);
if (enforce && findings.length > 0) process.exitCode = 1;
