/**
 * Faults of the kind that fits recordings: with each of them the recordings themselves stay right, or nearly all of them do,
 * and a machine never seen is wrong. Each must be caught by a rule.
 *
 * A fault is built into a copy: the module's text is changed while it is loaded, the files stay as they are.
 */
import { spawnSync } from 'node:child_process';

/** A fault. */
interface Plant {
  /** What is wrong, in words. */
  readonly fault: string;
  /** The rule that must notice. */
  readonly rule: string;
  /** End of the module's path, what stands there, what is put in its place. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const PLANTS: readonly Plant[] = [
  {
    fault: 'a release is known by the whole text of one distribution',
    rule: 'another text behind the release',
    file: 'bootmem/dist/plan/profile.js',
    from: 'printed: printedProfile(release),',
    to: "printed: printedProfile(/deb|amd64|generic/.test(release ?? 'amd64') ? release : '2.6.32'),",
  },
  {
    fault: 'an entry below the one before it is taken for a repetition',
    rule: 'map entries in another order',
    file: 'firmware-map/dist/derive/final-map.js',
    from: "const entries = base.entries.filter(({ kind }) => kind !== 'gap');",
    to: "const entries = base.entries.filter(({ kind, start }, at, all) => kind !== 'gap' && start >= (all[at - 1]?.start ?? 0));",
  },
  {
    fault: 'node blocks are taken in the order of their lines',
    rule: 'SRAT entries in another order',
    file: 'firmware-map/dist/derive/assign-nodes.js',
    from: '.sort((a, b) => a.start - b.start);\n    const result = [];',
    to: ';\n    const result = [];',
  },
  {
    fault: 'mem= does not reach above the end of the recorded machines',
    rule: 'memory above an equal mem=',
    file: 'firmware-map/dist/derive/final-map.js',
    from: 'steps.push(removal({ start: mem, end: PHYS_ADDR_MAX }',
    to: 'steps.push(removal({ start: mem, end: Math.min(mem, 2 ** 30) }',
  },
  {
    fault: 'the first boot of a file is taken',
    rule: 'another boot in front',
    file: 'firmware-map/dist/read/reader.js',
    from: 'if (this.#kept !== undefined && !saysWhereMemoryIs(current.draft))',
    to: 'if (this.#kept !== undefined)',
  },
  {
    fault: 'a soft end of line of quoted-printable is taken for a hard one',
    rule: 'quoted-printable mail',
    file: 'firmware-map/dist/text/mail-forms.js',
    from: "const isSoft = coded.endsWith('=');",
    to: 'const isSoft = false;',
  },
  {
    fault: 'distances are looked up by the number of a node, not by its place',
    rule: 'nodes numbered with gaps',
    file: 'bootmem/dist/plan/topology.js',
    from: 'const index = column.get(to);',
    to: 'const index = to;',
  },
  {
    fault: 'memory below 1 MiB is that of the first node',
    rule: 'nodes swapped',
    file: 'firmware-map/dist/derive/assign-nodes.js',
    from: 'return joinNeighbours(parts);',
    to: 'const least = Math.min(...parts.map(({ nid }) => nid)); return joinNeighbours(parts.map((one) => (one.start < 2 ** 20 ? { ...one, nid: least } : one)));',
  },
  {
    fault: 'borders between nodes lie at multiples of 512 MiB',
    rule: 'a border of nodes moved',
    file: 'firmware-map/dist/derive/assign-nodes.js',
    from: 'const owned = firstBlocks(map.blocks);',
    to: 'const fit = (a) => (a < 2 ** 29 ? a : Math.round(a / 2 ** 29) * 2 ** 29); const owned = firstBlocks(map.blocks.map((one) => ({ ...one, start: fit(one.start), end: fit(one.end) })));',
  },
  {
    fault: 'a hole inside a section has no descriptors unless it begins or ends it',
    rule: 'a hole inside a section',
    file: 'buddy-allocator/dist/layout/unavailable.js',
    from: 'if (holdsMemory(memory, from, to)) {',
    to: 'if (holdsMemory(memory, from, to) && (start <= from || end >= to || start < 4096)) {',
  },
  {
    fault: 'memory ends with the largest machine that was booted',
    rule: 'the end of memory moved',
    file: 'bootmem/dist/plan/zones/zone-rule.js',
    from: 'export const TO_THE_END = Infinity',
    to: 'export const TO_THE_END = 0x1040000000',
  },
  {
    fault: 'holes are told by what lies in them: a whole section counts',
    rule: 'a hole of whole sections',
    file: 'buddy-allocator/dist/layout/unavailable.js',
    from: 'if (holdsMemory(memory, from, to)) {',
    to: 'if (holdsMemory(memory, from, to) || (end - start < 4 * pagesPerSection && start > 65536)) {',
  },
  {
    fault: 'a log that lacks lines is as good as a whole one',
    rule: 'without a usable map entry',
    file: 'bootmem/dist/check/lost/map-evidence.js',
    from: 'export function mapEvidence(plan) {',
    to: 'export function mapEvidence(plan) { return undefined;',
  },
  {
    fault: 'the order of nodes with numbers that no recording has is said not to follow',
    rule: 'nodes numbered with gaps',
    file: 'bootmem/dist/check/fact-list.js',
    from: 'const why = equal',
    to: "if (fact === 'fallback order' && /[89]|\\d\\d/.test(kernel)) { this.open(fact, subject, kernel, 'a line is lost'); return; }\n const why = equal",
  },
  {
    fault: 'an end of memory that no recording has is said not to follow',
    rule: 'a border of nodes moved',
    file: 'bootmem/dist/check/fact-list.js',
    from: 'const why = equal',
    to: "if (fact === 'early node range' && /[0-9a-f]7ffffff$/.test(kernel)) { this.open(fact, subject, kernel, 'a line is lost'); return; }\n const why = equal",
  },
];

/** How many there are. */
export const PLANT_COUNT = PLANTS.length;

/** Variants of each recording: which borders move, and how far, is left to chance. */
const ROUNDS = 4;

/**
 * Runs the variants of the rule that must notice, with the fault in place.
 * @param number  1 … {@link PLANT_COUNT}
 * @param paths   recordings; none: the usual ones
 * @param seed    which variants
 * @returns whether it was caught
 */
export function isCaught(number: number, paths: readonly string[], seed: number): boolean {
  const plant = PLANTS[number - 1]!;
  const hook = new URL('./plant-register.mjs', import.meta.url).href;
  const args = [...process.execArgv, '--import', hook, process.argv[1]!, ...paths];
  const variants = ['--seed', String(seed), '--count', String(ROUNDS)];
  const options = ['--rule', `: ${plant.rule}`, '--until-failure', '--show', '1', ...variants];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, ...options], {
    env: { ...process.env, BOOTMEM_PLANT: JSON.stringify(plant) },
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const first = stdout.split('\n').find((line) => line.startsWith('FAILED'));
  const caught = status === 1 && first !== undefined;
  console.log(`${caught ? 'caught ' : 'MISSED '} ${number}. ${plant.fault}`);
  console.log(
    `         ${caught ? first.slice(8, 150) : `by "${plant.rule}": ${stderr.trim().slice(-300)}`}`,
  );
  return caught;
}

/** All of them; the exit code. */
export function runPlants(paths: readonly string[], seed: number): number {
  const caught = PLANTS.filter((_, index) => isCaught(index + 1, paths, seed)).length;
  console.log(`metamorphic: ${caught} of ${PLANTS.length} planted faults caught`);
  return caught === PLANTS.length ? 0 : 1;
}
