/** Breaks of buddy-allocator: lists and their journal, recovery, runs, moves, isolation, caches, verify, threads. */
import type { Mutant } from '../mutant.js';

const mutants: readonly Mutant[] = [
  // Lists and their journal.
  {
    name: 'take: no journal',
    file: 'lists/free-area.ts',
    find: `    w[JOURNAL_INDEX] = index;
    w[JOURNAL_ORDER] = high + 1;
    const dirty`,
    put: `    const dirty`,
    first: 'kills/pool',
  },
  {
    name: 'free: the journal is not widened at a merge',
    file: 'lists/free-area.ts',
    find: `        // Wide first: from here on the buddy counts as part of the block in flight.
        w[JOURNAL_ORDER] = (o + 2) | 0;`,
    put: '',
    first: 'kills/pool',
  },
  {
    name: 'free of large blocks: the journal is not widened at a merge',
    file: 'lists/free-area.ts',
    find: `        w[JOURNAL_ORDER] = o + 2;
        removeLow(buddy, o, type);`,
    put: `        removeLow(buddy, o, type);`,
    first: 'kills/machine',
  },
  {
    name: 'free: blocks of two zones merge',
    file: 'lists/free-area.ts',
    find: 'if (!alone && zone[buddy] !== zoneId) break;',
    put: '',
    first: 'merge',
  },
  {
    name: 'free of large blocks: blocks of two zones merge',
    file: 'lists/free-area.ts',
    find: 'if ((found & ~DIRTY) === (FREE | o) && zone[buddy] === zoneId) {',
    put: 'if ((found & ~DIRTY) === (FREE | o)) {',
    first: 'merge',
  },
  {
    name: 'free: a dirty buddy makes a clean block',
    file: 'lists/free-area.ts',
    find: `      old |= found & DIRTY;
      // The upper half;`,
    put: `      // The upper half;`,
    first: 'merge',
  },
  {
    name: 'free of large blocks: a dirty buddy makes a clean block',
    file: 'lists/free-area.ts',
    find: `      old |= found & DIRTY;
      state[i | buddy] = BODY;
      i &= buddy;
      o++;
    }
    insert(`,
    put: `      state[i | buddy] = BODY;
      i &= buddy;
      o++;
    }
    insert(`,
    first: 'merge',
  },
  {
    name: 'free of large blocks: pageblocks of the other type keep it',
    file: 'lists/free-area.ts',
    find: 'if (type !== migratetype) retype(buddy, o, migratetype);',
    put: '',
    first: 'free-area|kills/machine',
  },
  {
    name: 'take: a block is handed out clean though it is dirty',
    file: 'lists/free-area.ts',
    find: 'if (high > order) expand(index, order, high, migratetype, dirty);',
    put: 'if (high > order) expand(index, order, high, migratetype, 0);',
    first: 'merge',
  },
  {
    name: 'fallback: a block of another type is taken without journal',
    file: 'lists/fallback.ts',
    find: 'area.journal(index, found + 1);',
    put: '',
    first: 'kills/pool',
  },
  // Recovery.
  {
    name: 'recovery: the region in flight is forgotten',
    file: 'lists/recovery.ts',
    find: '  const pages = freeRegion(zone);',
    put: '  const pages = 0;',
    first: 'kills/pool',
  },
  {
    name: 'recovery: the region is closed before it is free',
    file: 'lists/recovery.ts',
    find: `  const region = w[z + Zone.JOURNAL_INDEX]! & ~((1 << order) - 1);
`,
    put: `  const region = w[z + Zone.JOURNAL_INDEX]! & ~((1 << order) - 1);
  w[z + Zone.JOURNAL_ORDER] = 0;
`,
    first: 'kills/pool',
  },
  {
    name: 'recovery: a run in flight is forgotten',
    file: 'lists/recovery.ts',
    find: '  freeRun(zone);\n  finishMoves',
    put: '  finishMoves',
    first: 'kills/pool',
  },
  {
    name: 'recovery: moves that were done are not brought to their end',
    file: 'lists/recovery.ts',
    find: '  finishMoves(zone);\n  cutMixed',
    put: '  cutMixed',
    first: 'kills/pool',
  },
  {
    name: 'recovery: free pairs stay two blocks',
    file: 'lists/recovery.ts',
    find: '  mergePairs(zone);\n  rebuildLists',
    put: '  rebuildLists',
    first: 'kills/machine',
  },
  {
    name: 'recovery: a large block of several types becomes one',
    file: 'lists/recovery.ts',
    find: '  cutMixed(zone);\n',
    put: '',
    first: 'kills/machine',
  },
  {
    name: 'recovery: what was in flight counts as clean',
    file: 'lists/recovery.ts',
    find: `  state[region] = FREE | order | DIRTY;`,
    put: `  state[region] = FREE | order;`,
    first: 'merge',
  },
  {
    name: 'recovery: claimed pages are nobody’s',
    file: 'lists/recovery.ts',
    find: 'if ((state[index]! & ~DIRTY) === CACHED) state[index] = ALLOCATED | DIRTY;',
    put: 'void index;',
    first: 'kills/pool',
  },
  // Runs.
  {
    name: 'a run is taken without being in flight',
    file: 'zone/range-take.ts',
    find: `  openRun(zone.words, zone.at, startPfn, endPfn - startPfn);
  const dirty`,
    put: `  const dirty`,
    first: 'kills/pool',
  },
  {
    name: 'a run is freed without being in flight',
    file: 'zone/range-take.ts',
    find: `  openRun(zone.words, zone.at, startPfn, endPfn - startPfn);
  for`,
    put: `  for`,
    first: 'kills/pool',
  },
  {
    name: 'freeExact is not checked again under the lock',
    file: 'pool/requests/requests.ts',
    find: 'const taken = zone.checked ? claimSingles(zone, pfn, end) : firstNotSingle(zone, pfn, end);',
    put: 'const taken = zone.checked ? claimSingles(zone, pfn, end) : undefined;',
    first: 'double-free',
  },
  // Moves and isolation.
  {
    name: 'a move is done before anybody knows',
    file: 'zone/moves.ts',
    find: 'links[((target >>> shift) << 1) + 1] = ~from;',
    put: 'void [links, shift];',
    first: 'kills/pool',
  },
  {
    name: 'a refused move keeps its target',
    file: 'zone/moves.ts',
    find: `      zone.freeBlockLocked(target, order, DIRTY, false);
      return false;`,
    put: `      return false;`,
    first: 'thrown-moves',
  },
  {
    name: 'a move of a living thread can be settled by another',
    file: 'zone/moves.ts',
    find: 'if (left || zone.hasEnded(owner)) found.push(',
    put: 'if (left || zone.hasEnded(owner) || found.length === 0) found.push(',
    first: 'left-behind',
  },
  {
    name: 'isolation: whose it is is written after the bit',
    file: 'zone/isolation.ts',
    find: `    zone.words[ownerAt(zone, index)] = zone.tag;
    relistPageblock(zone, block, () => {
      pageblocks.setIsolated(block, true);
    });`,
    put: `    relistPageblock(zone, block, () => {
      pageblocks.setIsolated(block, true);
    });
    zone.words[ownerAt(zone, index)] = zone.tag;`,
    first: 'kills/machine',
  },
  {
    name: 'isolation: reclaiming lifts nothing',
    file: 'zone/attachment.ts',
    find: '    liftIsolations(core, true);',
    put: '',
    first: 'left-behind',
  },
  {
    name: 'isolation: lifted after the range is taken, in a hold of its own',
    file: 'zone/contig.ts',
    find: `    for (const pfn of isolated) unisolateLocked(zone, pfn, zone.tag);
    isolated.length = 0;
`,
    put: '',
    first: 'no-proof.race',
  },
  {
    name: 'isolation: the next thread with the id lifts it',
    file: 'zone/isolation.ts',
    find: 'const due = ofEnded ? zone.hasEnded(owner) : owner === zone.tag;',
    put: 'const due = ofEnded ? zone.hasEnded(owner) : (owner & 0x7fff) === (zone.tag & 0x7fff);',
    first: 'left-behind',
  },
  {
    name: 'isolation: of a pageblock that two zones share',
    file: 'zone/isolation.ts',
    find: 'if (pageblocks.isIsolated(block) || isShared(zone, index)) return false;',
    put: 'if (pageblocks.isIsolated(block) || (block < 0 && isShared(zone, index))) return false;',
    first: 'left-behind',
  },
  // Blocks to be accepted.
  {
    name: 'accept: what an ended thread has taken stays taken',
    file: 'zone/attachment.ts',
    find: '    returnTaken(core, true);',
    put: '',
    first: 'left-behind',
  },
  {
    name: 'accept: a withdrawn block is counted before its pages have their state',
    file: 'zone/unaccepted-blocks.ts',
    find: `    columns.state.fill(PageState.HWPOISON, index + 1, index + pages);
    // No call from here on: until the head has its state the block is taken, and this can be done again.
    words[at + Zone.LEAKED] = words[at + Zone.LEAKED]! + pages;`,
    put: `    words[at + Zone.LEAKED] = words[at + Zone.LEAKED]! + pages;
    columns.state.fill(PageState.HWPOISON, index + 1, index + pages);`,
    first: 'kills/machine',
  },
  {
    name: 'accept: recovery forgets which blocks are taken',
    file: 'lists/recovery.ts',
    find: '      w[z + Zone.TAKEN] = w[z + Zone.TAKEN]! + 1;',
    put: '',
    first: 'kills/machine',
  },
  {
    name: 'hand-over: of two with the same range both hand it over',
    file: 'zone/hand-over.ts',
    find: `  zone.locked(() => {
    checkHandOver(zone, startPfn, endPfn);`,
    put: `  zone.locked(() => {`,
    first: 'page-allocator',
  },
  // Caches, verify, threads.
  {
    name: 'cache: an entry goes back without journal',
    file: 'cache/cache-moves.ts',
    find: 'if (!twice) journal(index, order + 1);',
    put: '',
    first: 'kills/pool',
  },
  {
    name: 'cache: entries are published while the region is open',
    file: 'cache/cache-moves.ts',
    find: `    w[z + Zone.JOURNAL_ORDER] = 0;
    w[l + BOTTOM] = cold;
    if (counted) w[COUNT] = w[COUNT]! + (n << order);`,
    put: `    w[z + Zone.JOURNAL_ORDER] = 0;
    if (n > 0) area.journal(index, 0);
    w[l + BOTTOM] = cold;
    if (counted) w[COUNT] = w[COUNT]! + (n << order);`,
    first: 'kills/pool',
  },
  {
    name: 'verify: what a dead thread isolated is not told',
    file: 'zone/verify.ts',
    find: 'if (zone.hasEnded(owner)) fail(ORPHAN,',
    put: 'if (owner < 0) fail(ORPHAN,',
    first: 'left-behind',
  },
  {
    name: 'verify: what is left behind stops the allocator',
    file: 'zone/attachment.ts',
    find: 'if (violations.some(({ invariant }) => invariant !== ORPHAN)) words[Header.BROKEN] = 1;',
    put: 'if (violations.length > 0) words[Header.BROKEN] = 1;\n    void ORPHAN;',
    first: 'left-behind',
  },
  {
    name: 'lock: a hold that an exception left is not put in order',
    file: 'zone/zone.ts',
    find: `      taken = 'recovered';`,
    put: `      taken = 'acquired';`,
    first: 'kills/pool',
  },
  {
    name: 'threads: one that runs is reclaimed',
    file: 'zone/attachment.ts',
    find: 'if (registry.awaitEnd(thread, END_MS)) continue;',
    put: 'if (registry.awaitEnd(thread, END_MS) || END_MS > 0) continue;',
    first: 'still-running',
  },
  {
    name: 'threads: several dead are marked one by one',
    file: 'zone/attachment.ts',
    find: 'for (const thread of threads) registry.markDead(thread);',
    put: 'for (const thread of threads.slice(0, 1)) registry.markDead(thread);',
    first: 'threads.race',
  },
  {
    name: 'owners: a block from the lists has the owner of its former life',
    file: 'zone/zone.ts',
    find: '    if (index !== NONE && ownersAt !== 0) words[ownersAt + index] = owner;',
    put: '',
    first: 'owners.test',
  },
  {
    name: 'owners: pages in a row are those of whoever had them',
    file: 'zone/range-take.ts',
    find: '    zone.words.fill(owner, at, at + (endPfn - startPfn));',
    put: '    zone.words.fill(owner, at, at + 1);',
    first: 'owners.test',
  },
  {
    name: 'owners: what moves loses its owner',
    file: 'zone/moves.ts',
    find: '    if (ownersAt !== 0) words[ownersAt + target] = words[ownersAt + from]!;',
    put: '',
    first: 'owners.test',
  },
  {
    name: 'owners: a hit takes the entry before the block is allocated',
    file: 'pool/requests/fast-path.ts',
    find: `    w[ownersAt + index] = owner;
    // Pairs with the load in \`ownedBlocks\`. The entry goes last: until then it is one whose block has been used.
    store(state, index, ALLOCATED_DIRTY | order);
    w[l] = top - 1;`,
    put: `    w[ownersAt + index] = owner;
    w[l] = top - 1;
    store(state, index, ALLOCATED_DIRTY | order);`,
    first: 'owners.kills',
  },
  {
    name: 'objects: pages for a slab are recorded when the lock is given back',
    file: 'objects/slabs.ts',
    find: `        table[at] = page + 1;
      }
      return page;
    });`,
    put: `      }
      return page;
    });`,
    first: 'objects',
  },
  {
    name: 'objects: a slab in transit stays so',
    file: 'objects/slabs.ts',
    find: '      if (slab !== 0) this.#finish(slab - 1);',
    put: '',
    first: 'objects.kills',
  },
  {
    name: 'objects: pages of a slab are still recorded when they are free',
    file: 'objects/slabs.ts',
    find: `      table[at] = 0;
      area.free(page, order, false, DIRTY);`,
    put: `      area.free(page, order, false, DIRTY);
      table[at] = 0;`,
    first: 'objects.kills',
  },
  {
    name: 'objects: pages that an ended thread had recorded stay',
    file: 'objects/slabs.ts',
    find: '        if (this.#ids.hasEnded(this.#words[at + Record.TAG]!)) this.#freeRecorded(at);',
    put: '',
    first: 'objects.kills',
  },
  {
    name: 'objects: pages of a slab that an exception has left recorded are forgotten',
    file: 'objects/slabs.ts',
    find: `      this.giveBack();
      let closed = 0;`,
    put: '      let closed = 0;',
    first: 'no-proof.race',
  },
  {
    name: 'hand-back: numbers are taken back without being in flight',
    file: 'zone/hand-over.ts',
    find: '    openRun(w, at, startPfn, endPfn - startPfn);\n    extractPages',
    put: '    extractPages',
    first: 'objects.kills',
  },
  {
    name: 'shrink: the upper half is not in flight',
    file: 'zone/resize.ts',
    find: '      w[at + Zone.RUN_PAGES] = pages;',
    put: '',
    first: 'kills/pool',
  },
  {
    name: 'extend: the half is the block’s a call later than it is nobody’s',
    file: 'zone/resize.ts',
    find: `      state[half] = BODY;
      state[index] = (state[index]! & DIRTY) | dirty | ALLOCATED | (o + 1);`,
    put: `      state[half] = BODY;
      area.account(0, type);
      state[index] = (state[index]! & DIRTY) | dirty | ALLOCATED | (o + 1);`,
    first: 'kills/pool',
  },
  {
    name: 'pressure: the callback is called by what it requests itself',
    file: 'pool/requests/requests.ts',
    find: ' || this.#relieving) return false;',
    put: ') return false;',
    first: 'left-behind',
  },

  // Memory that grows, and snapshots that come back in given memory.
  {
    name: 'growth: pages are online that the memory has not',
    file: 'pool/growth.ts',
    find: 'Math.min(from + most, from + step, border, end)',
    put: 'Math.min(from + most, from + step, border, zone.endPfn, end + most)',
    first: 'wasm-memory',
  },
  {
    name: 'growth: who finds that another was faster gives up',
    file: 'pool/growth.ts',
    find: 'if (more === 0 && (there < wanted || zone.managedPages >= zone.endPfn)) break;',
    put: 'if (more === 0) break;',
    first: 'wasm-memory',
  },
  {
    name: 'growth: a memory at its maximum gives nothing of what it has',
    file: 'base/wasm-memory.ts',
    find: 'step = Math.floor(step / 2);',
    put: 'step = 0;',
    first: 'wasm-memory',
  },
  {
    name: 'growth: an old buffer is not looked at again',
    file: 'base/wasm-memory.ts',
    find: '  growBy(memory, 0);\n',
    put: '',
    first: 'wasm-memory',
  },
  {
    name: 'growth: memory that is not shared is detached by a look',
    file: 'base/wasm-memory.ts',
    find: 'if (buffer.byteLength >= bytes || !isSharedMemory(buffer)) return buffer;',
    put: 'if (buffer.byteLength >= bytes && isSharedMemory(buffer)) return buffer;',
    first: 'wasm-memory',
  },
  {
    name: 'growth: new memory has no poison',
    file: 'pool/growth.ts',
    find: 'if (poison) data?.fill(from, to - from, POISON);',
    put: '',
    first: 'poison',
  },
  {
    name: 'growth: present stays as it was',
    file: 'pool/growth.ts',
    find: '  w[z + Zone.PRESENT] = to;\n',
    put: '',
    first: 'wasm-memory',
  },
  {
    name: 'a request whose memory is gone keeps its pages',
    file: 'pool/requests/requests.ts',
    find: '      giveBack();\n      throw error;',
    put: '      throw error;',
    first: 'wasm-memory',
  },
  {
    name: 'restore: given memory counts as zero',
    file: 'pool/snapshot/snapshot.ts',
    find: 'control[Header.FLAGS] = control[Header.FLAGS]! & ~ControlFlag.ZEROED;',
    put: '',
    first: 'wasm-memory',
  },
  {
    name: 'restore: poison that is not there is believed',
    file: 'pool/snapshot/snapshot.ts',
    find: 'if (snapshot.data === null && (control[Header.FLAGS]! & ControlFlag.POISON) !== 0) {',
    put: 'if (snapshot.data === undefined) {',
    first: 'wasm-memory',
  },
  {
    name: 'extend: where the block lies is not looked at',
    file: 'zone/resize.ts',
    find: "    if (index % 2 ** to !== 0) return 'no room';\n",
    put: '',
    first: 'resize',
  },
  {
    name: 'extend: what was used counts as clean',
    file: 'zone/resize.ts',
    find: 'dirty |= state[half]! & DIRTY;',
    put: 'dirty |= 0;',
    first: 'resize',
  },
  {
    name: 'extend: a pageblock that is kept apart is taken',
    file: 'zone/resize.ts',
    find: "if (!free || area.typeOf(half) >= SPECIAL) return 'no room';",
    put: "if (!free || area.typeOf(half) > 99 * SPECIAL) return 'no room';",
    first: 'resize',
  },
  {
    name: 'extend: what is added still counts as free',
    file: 'zone/resize.ts',
    find: '      area.account(-(2 ** o), type);\n',
    put: '',
    first: 'resize',
  },
  {
    name: 'extend: marks are not looked at',
    file: 'pool/requests/requests.ts',
    find: 'if (!this.#mustKeep(request, more)) {',
    put: 'if (more >= 0) {',
    first: 'resize',
  },
  {
    name: 'extend: what lies in caches is not asked for',
    file: 'pool/requests/requests.ts',
    find: `        this.#drain();
        found = extendBlock(zone, pfn, order, to);`,
    put: '        found = extendBlock(zone, pfn, order, to);',
    first: 'resize',
  },
  {
    name: 'extend: what was there is zeroed in place of what is added',
    file: 'pool/requests/requests.ts',
    find: 'this.#prepare(pfn + 2 ** order, more,',
    put: 'this.#prepare(pfn, more,',
    first: 'resize',
  },
  {
    name: 'extend: of memory that is gone the block keeps what was added',
    file: 'pool/requests/requests.ts',
    find: '      shrinkBlock(zone, pfn, to, order);\n',
    put: '',
    first: 'wasm-memory',
  },
  {
    name: 'range: of memory that is gone the pages stay taken',
    file: 'pool/requests/requests.ts',
    find: '        freeRunLocked(this.#zone, pfn, pfn + run.pages);\n',
    put: '',
    first: 'wasm-memory',
  },
  {
    name: 'an alarm of poison comes again and again',
    file: 'pool/requests/requests.ts',
    find: "if ((error as BuddyError).code === 'ERR_BUDDY_POISON') data.fill(pfn, pages, POISON);",
    put: '',
    first: 'poison',
  },
  {
    name: 'shrink: what goes counts as clean',
    file: 'zone/resize.ts',
    find: '      zone.freeBlockLocked(half, o, DIRTY, false);',
    put: '      zone.freeBlockLocked(half, o, 0, false);',
    first: 'resize',
  },
  {
    name: 'shrink: what goes has no poison',
    file: 'pool/requests/requests.ts',
    find: '      this.#data?.fill(pfn + 2 ** to, 2 ** order - 2 ** to, POISON);\n',
    put: '',
    first: 'resize',
  },
  {
    name: 'shrink: the run in flight is closed before it is free',
    file: 'zone/resize.ts',
    find: `      zone.freeBlockLocked(half, o, DIRTY, false);
      closeRun(w, at);`,
    put: `      closeRun(w, at);
      zone.freeBlockLocked(half, o, DIRTY, false);`,
    first: 'kills/pool',
  },
  {
    name: 'hand-back: what is not free is not noticed',
    file: 'zone/hand-over.ts',
    find: 'if (head?.state !== FREE) return false;',
    put: 'if (head === undefined) return false;',
    first: 'objects.test',
  },
  {
    name: 'hand-back: what is taken back still counts as managed',
    file: 'zone/hand-over.ts',
    find: '    w[at + Zone.MANAGED] = w[at + Zone.MANAGED]! - (endPfn - startPfn);\n',
    put: '',
    first: 'objects.test',
  },
  {
    name: 'hand-back: what is taken back looks allocated',
    file: 'zone/hand-over.ts',
    find: '    state.fill(BODY, index, index + (endPfn - startPfn));\n',
    put: '    void [BODY, index];\n',
    first: 'objects.test',
  },
  {
    name: 'objects: what `construct` calls closes the slab that it makes',
    file: 'objects/object-cache.ts',
    find: 'return this.#making ? 0 : this.#slabs.close();',
    put: 'return this.#slabs.close();',
    first: 'objects.test',
  },
  {
    name: 'objects: a slab is made though `construct` has closed the cache',
    file: 'objects/object-cache.ts',
    find: '    if (this.#ids.zone.isClosed) return false;\n',
    put: '',
    first: 'objects.test',
  },
  {
    name: 'allocAsync: a page that nobody waits for any more stays taken',
    file: 'pool/requests/waiting.ts',
    find: '      else this.#pool.free(pfn, first.order);\n',
    put: '',
    first: 'resize',
  },
  {
    name: 'allocAsync: what is aborted in the first try waits for ever',
    file: 'pool/requests/waiting.ts',
    find: `      if (pfn !== undefined || ms === 0) return Promise.resolve(pfn);
      signal?.throwIfAborted();`,
    put: '      if (pfn !== undefined || ms === 0) return Promise.resolve(pfn);',
    first: 'resize',
  },
  {
    name: 'growth: what lies behind the last page is taken',
    file: 'pool/growth.ts',
    find: 'return Math.min(there, zone.endPfn);',
    put: 'return there;',
    first: 'wasm-memory',
  },
  {
    name: 'restore: a memory is enlarged that cannot be large enough',
    file: 'base/wasm-memory.ts',
    find: `  if (missing > 0 && missing <= MOST_PAGES) hasGrown(memory, missing);
  return bytesOf(memory);`,
    put: '  return missing > 0 ? growTo(memory, bytes) : there;',
    first: 'wasm-memory',
  },
  {
    name: 'restore: a memory is enlarged before the offset is looked at',
    file: 'pool/pool-setup.ts',
    find: `  checkDataOffset(dataOffset, pageSize);
  const given = givenMemory(data);`,
    put: `  if (isWasmMemory(data)) enlarge(data, Number(dataOffset) + pages * pageSize);
  checkDataOffset(dataOffset, pageSize);
  const given = givenMemory(data);`,
    first: 'wasm-memory',
  },
  {
    name: 'free: the tail of a list loses its former end',
    file: 'lists/free-area.ts',
    find: 'links[(i << 1) | 1] = last | (atTail - 1);',
    put: 'links[(i << 1) | 1] = head | (atTail - 1);',
    first: 'free-area',
  },
  {
    name: 'free: a block that will merge soon is used next',
    file: 'lists/free-area.ts',
    find: 'if (alone || zone[other] === zoneId) atTail |= (differs - 1) >>> 31;',
    put: 'if (zone[other] === -1) atTail |= (differs - 1) >>> 31;',
    first: 'free-area',
  },
];

export default mutants;
