/**
 * The process on which the rounds are played, started by `padata-hostile.soak.ts`. It says what it sees on its standard
 * output, a line each, and ends by itself: nothing here keeps it alive but padata.
 *
 *   LINE JOB N OF …   printed by jobs          ROUND {…}   a round is over
 *   FAULT …           something is wrong       PLAYED …    what was played
 *                                              DONE {…}    all is over, the process ends now
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Book, deathsOf } from './book.js';
import { descriptorsInWords, footprint, grown, inWords, most } from './footprint.js';
import type { Footprint } from './footprint.js';
import { planRound } from './plan.js';
import { Planter } from './plants.js';
import type { Plant } from './plants.js';
import { Player } from './player.js';
import { Tally } from './tally.js';

/** What the stage is told, as JSON in its only argument. */
export interface Script {
  readonly seed: number;
  readonly ms: number;
  /** Rounds that are played at least, however long they take. */
  readonly rounds: number;
  /** Only this round, once; undefined = all from 1 on. */
  readonly round: number | undefined;
  readonly boundMs: number;
  readonly plant: Plant | undefined;
}

/** After so many rounds and this part of the time it has warmed up; it is looked at so many rounds in a row. */
const WARM_ROUNDS = 20;
const WARM_PART = 1 / 3;
const LOOKS = 5;

const script = JSON.parse(process.argv[2]!) as Script;
const { seed, ms, rounds, boundMs, plant } = script;
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
let number = script.round ?? 1;
let over = false;
let player: Player | undefined;
const fault = (text: string): void => {
  say(`FAULT round ${number}: ${text.replaceAll('\n', ' ')}`);
};
const book = new Book(fault, boundMs);
const planter = new Planter(book, plant);
const folder = mkdtempSync(join(tmpdir(), 'padata-hostile-'));
process.on('uncaughtException', (error) => {
  fault(`uncaught: ${error.stack ?? String(error)}`);
});
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true });
  if (over) return;
  say(`the pool: ${JSON.stringify(player?.pool.stats())}`);
  for (const label of book.open) fault(`${label}: the process ends while it is out`);
  fault('the process ends before the rounds are over');
});

const began = performance.now();
let warm: Footprint | undefined;
const tally = new Tally();
let looks = 0;
for (let played = 1; ; played += 1, number += 1) {
  const round = planRound(seed, number);
  player = new Player(round, {
    book,
    folder,
    see: (job, outcome) => {
      planter.see(job, outcome);
    },
  });
  await player.play();
  planter.endRound();
  const calm = round.calm && deathsOf(player.facts) === 0;
  say(`ROUND ${JSON.stringify({ calm, printed: player.printed, settled: book.settled })}`);
  tally.add(round);
  if (script.round !== undefined) break;
  if (played >= rounds && performance.now() - began > ms) break;
  if (played < WARM_ROUNDS || performance.now() - began < ms * WARM_PART || looks === LOOKS)
    continue;
  looks += 1;
  warm = most(warm, await footprint());
}
if (warm !== undefined) {
  const latest = await footprint();
  for (const text of grown(warm, latest)) fault(`it has grown: ${text}`);
  say(`HELD ${inWords(warm)}, and at the end ${inWords(latest)}`);
  say(`it holds open: ${descriptorsInWords()}`);
}
say(`PLAYED ${tally.inWords()}`);
over = true;
say(`DONE ${process.getActiveResourcesInfo().join(' ')}`);
