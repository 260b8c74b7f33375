// One worker of the soak of conversion: allocates, converts, frees, accepts, and makes mistakes that must be refused.
import { parentPort, workerData } from 'node:worker_threads';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import { Random } from '../../kit/random.mjs';
import { openers } from './shared-platform.mjs';

const { handles, participant, thread, serial, owners, seed, limit } = workerData;
const memory = UnacceptedMemory.attach(handles.memory, { participant, openers });
const allocator = PageAllocator.attach(handles.allocator, { thread, lockTimeoutMs: 60_000 });
const acceptor = ZoneAcceptor.attach(handles.acceptor, { memory, port: allocator });
allocator.setHooks({ accept: acceptor });
const { unitSize, unitCount } = memory.geometry;
const unitPages = unitSize / 4096;
const random = new Random(seed, serial);
/** Blocks of whole units: first page, order, which units are shared. */
const large = [];
const small = [];
const report = { operations: 0, refused: 0, met: 0, lost: 0, wrong: [] };

const codeOf = (act) => {
  try {
    act();
    return '';
  } catch (error) {
    return error.code ?? String(error);
  }
};
const expectCode = (act, codes, what) => {
  const code = codeOf(act);
  if (code !== '') report.refused += 1;
  if (!codes.includes(code)) report.wrong.push(`${what}: ${code === '' ? 'no error' : code}`);
  return code;
};
const unitRange = (block, unit) => [
  (block.pfn + unit * unitPages) * 4096,
  (block.pfn + (unit + 1) * unitPages) * 4096,
];
/** The books of all workers: whose a block is. */
const mine = (pfn) => Atomics.load(owners, pfn) === serial;
const remove = (list, item) => list.splice(list.indexOf(item), 1);

function allocate() {
  const order = random.pick([0, 0, 1, 9, 9, 10]);
  let pfn;
  try {
    pfn = allocator.allocPages(order);
  } catch (error) {
    // The block that it would have taken holds a unit whose accept was cut off: withheld, for good.
    if (error.code !== 'ERR_ACCEPT_INTERRUPTED') report.wrong.push(`alloc: ${error.code ?? error}`);
    report.lost += 1;
    return;
  }
  if (pfn === undefined) return;
  if (Atomics.exchange(owners, pfn, serial) !== 0) report.wrong.push(`page ${pfn} was somebody's`);
  if (order < 9) small.push({ pfn, order });
  else large.push({ pfn, order, shared: new Set() });
}

function release() {
  const block = random.once(2) && small.length > 0 ? random.pick(small) : random.pick(large);
  if (block === undefined) return;
  if (block.shared !== undefined && block.shared.size > 0) {
    expectCode(
      () => allocator.freePages(block.pfn, block.order),
      ['ERR_BUDDY_SHARED'],
      'free of shared',
    );
    return;
  }
  remove(block.shared === undefined ? small : large, block);
  Atomics.store(owners, block.pfn, 0);
  expectCode(() => allocator.freePages(block.pfn, block.order), [''], 'free');
}

/** Who tries to take a unit that is not his is in the way of its holder for a moment, who then tries again. */
function convertOwn(start, end, to) {
  for (;;) {
    try {
      acceptor.convert(start, end, to, mine);
      return;
    } catch (error) {
      if (error.code !== 'ERR_ACCEPT_NOT_HELD' || error.details.participant === undefined)
        throw error;
      report.met += 1;
    }
  }
}

function convert() {
  const block = random.pick(large);
  if (block === undefined) return;
  const units = 2 ** (block.order - 9);
  const unit = random.below(units);
  const to = block.shared.has(unit) ? 'private' : 'shared';
  expectCode(() => convertOwn(...unitRange(block, unit), to), [''], `to ${to}`);
  if (to === 'shared') block.shared.add(unit);
  else block.shared.delete(unit);
}

/** A unit that is not this worker's, whoever has it: free, parked, another's, on its way from one to the other. */
function steal() {
  const unit = random.below(unitCount);
  const start = unit * unitSize;
  const pfn = unit * unitPages;
  if (large.some((block) => block.pfn <= pfn && pfn < block.pfn + 2 ** block.order)) return;
  expectCode(
    () => acceptor.convert(start, start + unitSize, random.pick(['shared', 'private']), mine),
    ['ERR_ACCEPT_NOT_HELD', 'ERR_ACCEPT_STATE', 'ERR_ACCEPT_INTERRUPTED'],
    "another's unit",
  );
}

function mistake() {
  if (random.once(3)) {
    steal();
    return;
  }
  const page = random.pick(small);
  const block = random.pick(large);
  if (page !== undefined && random.once(2)) {
    // The unit of a single page is cut into blocks, some of them others' or free.
    const start = (page.pfn - (page.pfn % unitPages)) * 4096;
    expectCode(
      () => acceptor.convert(start, start + unitSize, 'shared'),
      ['ERR_ACCEPT_NOT_HELD'],
      'cut unit',
    );
  } else if (block !== undefined && block.shared.size > 0) {
    const unit = [...block.shared][0];
    expectCode(
      () => convertOwn(...unitRange(block, unit), 'shared'),
      ['ERR_ACCEPT_STATE'],
      'shared twice',
    );
    const end = (block.pfn + 2 ** block.order) * 4096;
    expectCode(
      () => acceptor.convert(end - unitSize, end + 4096, 'shared'),
      ['ERR_ACCEPT_ARGUMENT'],
      'part of a unit',
    );
  }
}

function accept() {
  const start = random.below(unitCount) * unitSize;
  expectCode(
    () => memory.acceptMemory(start, (1 + random.below(2)) * unitSize),
    ['', 'ERR_ACCEPT_INTERRUPTED'],
    'accept',
  );
}

function run(steps) {
  for (let step = 0; step < steps; step += 1) {
    report.operations += 1;
    const which = random.below(100);
    if (which < 30 && large.length < limit && small.length < 40) allocate();
    else if (which < 55) release();
    else if (which < 90) convert();
    else if (which < 97) mistake();
    else accept();
  }
}

/** Gives back everything, private again. */
function giveBack() {
  for (const block of [...large]) {
    for (const unit of block.shared) convertOwn(...unitRange(block, unit), 'private');
    Atomics.store(owners, block.pfn, 0);
    allocator.freePages(block.pfn, block.order);
  }
  for (const { pfn, order } of small) {
    Atomics.store(owners, pfn, 0);
    allocator.freePages(pfn, order);
  }
  large.length = 0;
  small.length = 0;
  allocator.drain();
}

parentPort.on('message', ({ steps, finish }) => {
  Object.assign(report, { operations: 0, refused: 0, met: 0, lost: 0, wrong: [] });
  try {
    run(steps);
    if (finish) giveBack();
    allocator.drain();
  } catch (error) {
    report.wrong.push(String(error.stack));
  }
  parentPort.postMessage(report);
});
parentPort.postMessage('ready');
