/**
 * One answer to "which kernel is this": every release from 2.6.32 to the newest known through the tables of
 * all packages, which stand side by side in fixtures/releases.txt. After a table is meant to change:
 *   BOOTMEM_UPDATE=1 npm test -- releases
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import type { MachineDescription } from '@bootmem/firmware-map';
import { byRelease, parseRelease } from '@bootmem/memmap/releases';
import { byRelease as firmwareMapChooser } from '../../firmware-map/dist/base/by-release.js';
import { byRelease as memblockChooser } from '../../memblock/dist/base/by-release.js';
import { checkMachine, replayMachine } from '../dist/check.js';
import { bootMemory, loadMachine } from '../dist/index.js';
import { planLayout } from '../dist/plan/layout-plan.js';
import { kernelOf } from '../dist/plan/profile.js';
import { boundariesText, KNOWN_RELEASES, rowsText, TABLES } from './helpers/release-tables.js';

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));
const CONFORMANCE = '../tools/conformance';
const FIXTURE = new URL('fixtures/releases.txt', import.meta.url);
const NEWEST = KNOWN_RELEASES.at(-1)!;

const sample = await loadMachine(undefined);

function from(release: string | undefined): MachineDescription {
  const { kernel, ...rest } = sample.description;
  if (release === undefined) return rest;
  const numbers = [...parseRelease(release)!];
  return { ...rest, kernel: { line: kernel?.line ?? 1, release, numbers } };
}

test('the tables of all packages are those written down', () => {
  const text = `${boundariesText()}\n\n${rowsText()}`;
  if (process.env['BOOTMEM_UPDATE'] === '1') writeFileSync(FIXTURE, text);
  expect(text).toBe(readFileSync(FIXTURE, 'utf8'));
});

test.each(TABLES.map((table) => [table.name, table] as const))(
  '%s: rows ascend, begin with the first release and end with the newest known',
  (_name, { rows }) => {
    const at = rows.map(({ since }) => KNOWN_RELEASES.indexOf(since));
    expect(at[0]).toBe(0);
    expect(at).toEqual([...new Set(at)].sort((a, b) => a - b));
  },
);

test.each(TABLES.map((table) => [table.name, table] as const))(
  '%s: a text is read as all packages read it',
  (_name, { profileForRelease }) => {
    for (const release of KNOWN_RELEASES) {
      const profile = profileForRelease(release);
      const patch = release.startsWith('2.6') ? '.71' : '.100';
      for (const more of [patch, `${patch}+deb12-amd64`, '-rc3', '-28-cloud', `${patch}-553.el8`]) {
        expect(profileForRelease(release + more)).toBe(profile);
      }
      expect(profileForRelease(`Linux version ${release}${patch}`)).toBe(profile);
    }
    const newest = profileForRelease(NEWEST);
    for (const junk of [undefined, '', 'junk', 'latest', '7', 'amd64', '99.0', '7.99.1']) {
      expect(profileForRelease(junk)).toBe(newest);
    }
    for (const old of ['2.4.37', '2.6.31', '0.1', '1.0']) {
      expect(profileForRelease(old)).toBe(profileForRelease('2.6.32'));
    }
  },
);

test('the packages that know no other choose as the shared function does', () => {
  const table = [
    { since: '2.6.36', at: 1 },
    { since: '3.0', at: 2 },
    { since: '6.9', at: 3 },
    { since: '6.10', at: 4 },
  ] satisfies { since: string; at: number }[];
  const [first, ...later] = table;
  const choosers = [byRelease, memblockChooser, firmwareMapChooser].map((make) =>
    make([first!, ...later]),
  );
  const odd = ['', 'x', '6', '6.', '.6.1', '123456.7', '6.1234567', '2.6.36.4', 'v6.9', '6.10-rc1'];
  for (const text of [undefined, ...odd, ...KNOWN_RELEASES]) {
    const [ours, ...others] = choosers.map((choose) => choose(text));
    for (const other of others) expect(other).toEqual(ours);
  }
  expect(KNOWN_RELEASES.map((text) => choosers[0]!(text).at).join('')).toBe(
    '1'.repeat(8) + '2'.repeat(70) + '3' + '4'.repeat(14),
  );
});

test('boot, check and replay follow what the tables say, for every release', () => {
  for (const release of [undefined, ...KNOWN_RELEASES]) {
    const plan = planLayout(from(release));
    expect(plan.kernel).toEqual(kernelOf(release));
    const [memblock, buddy, pages, , printed] = TABLES.map((table) =>
      table.profileForRelease(release),
    );
    expect(plan.kernel.memblock).toBe(memblock);
    expect(plan.kernel.buddy).toBe(buddy);
    expect(plan.kernel.pages).toBe(pages);
    expect(plan.kernel.printed).toBe(printed);
    if (release === undefined) continue;
    // Asked for by name, whatever the log says.
    expect(planLayout(from('6.1.0-50-amd64'), release).kernel).toEqual(kernelOf(release));
  }
  expect(planLayout(from('6.1'), 'latest').kernel.buddy).toBe(kernelOf(NEWEST).buddy);
});

test('a vendor may be ahead of its number', () => {
  expect(kernelOf('3.10.0-957.el7.x86_64').printed.nodeExtent).toBe('memory');
  expect(kernelOf('3.10.0-957.el6.x86_64').printed.nodeExtent).toBe('table');
});

test('a log of 6.13 is split into range groups as one of 6.1 is, one of 6.18 by zone; reports name the release', async () => {
  const borders = async (release: string, profile = 'auto'): Promise<readonly string[]> => {
    const machine = await bootMemory(from(release), { threads: 2, profile });
    try {
      expect(machine.plan.kernel).toEqual(kernelOf(profile === 'auto' ? release : profile));
      const report = machine.report();
      const [major, minor] = parseRelease(profile === 'auto' ? release : profile)!;
      expect(report.options.profile).toBe(`${major}.${minor}`);
      expect(machine.allocator.toHandle().release).toBe(
        kernelOf(`${major}.${minor}`).buddy.release,
      );
      return report.chunks.map(({ startPfn, endPfn }) => `${startPfn}-${endPfn}`).sort();
    } finally {
      await machine.close();
    }
  };
  const groups = await borders('6.1.0-50-amd64');
  expect(await borders('6.13.0')).toEqual(groups);
  expect(await borders('6.17.13')).toEqual(groups);
  const zones = await borders('6.18.0');
  expect(zones).not.toEqual(groups);
  expect(await borders('6.1.0', '6.18')).toEqual(zones);
});

test('check and replay change with the release in the log, and only with it', () => {
  const check = (release: string) =>
    checkMachine({ ...sample, description: from(release) }).facts.filter(
      (fact) => fact.fact === 'page set high' && fact.verdict === 'equal',
    ).length;
  expect(check('5.13')).toBe(0);
  expect(check('5.14')).toBeGreaterThan(0);
  const replay = (release: string) => {
    const { dumps, equalDumps } = replayMachine({ ...sample, description: from(release) });
    return `${equalDumps}/${dumps}`;
  };
  for (const release of ['2.6.32', '5.10', '6.1.0-50-amd64']) expect(replay(release)).toBe('1/1');
  expect(replay('6.16')).toBe('0/1');
});

/** Files of a package's sources, or of the conformance runners, whose code matches: `package/file`. */
function filesWith(pattern: RegExp): string[] {
  const found = readdirSync(PACKAGES, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^[^/]+\/src\/.*\.ts$/.test(path))
    .concat(
      readdirSync(join(PACKAGES, CONFORMANCE), { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.ts'))
        .map((path) => join(CONFORMANCE, path)),
    )
    .filter((path) => {
      const text = readFileSync(join(PACKAGES, path), 'utf8');
      return pattern.test(text.replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, ''));
    });
  return found
    .map((path) => path.replace(/^(?:\.\.\/tools\/)?([^/]+)\/.*?([^/]+)$/, '$1/$2'))
    .sort();
}

test('nothing but the tables asks for a version', () => {
  expect(filesWith(/kernelAtLeast|kernel\??\.numbers|\bmajor\b|\bminor\b/)).toEqual([]);
  // The readers of a release, the one who lists those an input may come from, and the one who names it in reports.
  expect(filesWith(/parseRelease\(/)).toEqual([
    'bootmem/eras.ts',
    'bootmem/profile.ts',
    'firmware-map/by-release.ts',
    'memblock/by-release.ts',
    'memmap/releases.ts',
  ]);
  // Traces in the repository are of 6.12.
  expect(filesWith(/profileForRelease\('/)).toEqual(['memblock/replay-trace.ts']);
  expect(filesWith(/\bkernelOf\(/)).toEqual([
    'bootmem/eras.ts',
    'bootmem/layout-plan.ts',
    'bootmem/profile.ts',
    'bootmem/replay-machine.ts',
  ]);
});

test('the conformance runners choose by the recorded release', () => {
  expect(filesWith(/profileForRelease\((?:boot\.meta\(\)\.)?kernel\)/)).toEqual([
    'conformance/machine.ts',
    'conformance/machine.ts',
    'conformance/memblock-boots.conformance.ts',
  ]);
  // The runners that compare logs have no say in it.
  expect(
    filesWith(/\bprofile: '|planLayout\(|bootMemory\(/).filter((path) => path.startsWith('conf')),
  ).toEqual([]);
});
