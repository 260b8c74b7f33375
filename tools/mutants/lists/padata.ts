/** Breaks of padata: the ring's protocol and its owner, the runner of slots, series, ranges, the crew. */
import type { Mutant } from '../mutant.js';

const mutants: readonly Mutant[] = [
  // The ring's steps.
  {
    name: 'ring: what is awaited is not published when something was delivered',
    file: 'protocol/ring.ts',
    find: 'ops.store(ring, RING.WAKE_AT, awaited);',
    put: 'void awaited;',
    first: 'protocols',
  },
  {
    name: 'ring: a pending function gets bytes of the next job in its slot',
    file: 'protocol/ring.ts',
    find: `      if (ring[base + SLOT.SEQ] !== sequence) return false;
      const state = ops.load(ring, base + SLOT.STATE);
      if (state === holding) return true;`,
    put: `      const state = ops.load(ring, base + SLOT.STATE);
      if (state === holding) return true;`,
    first: 'lost-jobs',
  },
  {
    name: 'ring: the owner settles a job that has moved on',
    file: 'protocol/ring.ts',
    find: 'return ops.compareExchange(ring, base + SLOT.STATE, state, SlotState.RUNNING) === state;',
    put: 'ops.store(ring, base + SLOT.STATE, SlotState.RUNNING);\n      return state !== -1;',
    first: 'protocols',
  },
  {
    name: 'ring: jobs of a dead thread are not offered again',
    file: 'protocol/ring.ts',
    find: 'ops.store(ring, RING.CLAIM, ops.load(ring, RING.PROCESSED));',
    put: 'void ring;',
    first: 'faults|protocols',
  },
  // The ring's owner.
  {
    name: 'slot ring: one job more than the window',
    file: 'ring/slot-ring.ts',
    find: 'if (this.isPlacing || ((this.#tail - this.#processed) | 0) >= this.window) return false;',
    put: 'if (this.isPlacing || ((this.#tail - this.#processed) | 0) > this.window) return false;',
    first: 'series',
  },
  {
    name: 'slot ring: a getter of an input submits before that input is there',
    file: 'ring/slot-ring.ts',
    find: 'if (this.isPlacing || ((this.#tail',
    put: 'if (((this.#tail',
    first: 'hostile',
  },
  {
    name: 'slot ring: a job that was cancelled while it ran may still succeed',
    file: 'ring/ring-base.ts',
    find: 'this.records.flags[index]! |= Left.CANCELLED;',
    put: '',
    first: 'pending',
  },
  {
    name: 'slot ring: the bytes of an abandoned function go to the next job',
    file: 'ring/job-ends.ts',
    find: 'this.#arena.keepHole(hole, sequence & (this.#window - 1));',
    put: 'void hole;',
    first: 'pending',
  },
  {
    name: 'slot ring: memory that an abandoned function may see is used again',
    file: 'ring/ring-base.ts',
    find: '      !this.ends.hasAbandoned &&\n',
    put: '',
    first: 'slot-ring',
  },
  {
    name: 'slot ring: memory whose deferred jobs have handles is used again',
    file: 'ring/ring-base.ts',
    find: 'Atomics.load(this.words, RING.HANDLES) === 0',
    put: 'true',
    first: 'reuse',
  },
  {
    name: 'slot ring: a callback may deliver within a delivery',
    file: 'ring/slot-ring.ts',
    find: 'if (this.#delivering) return 0;',
    put: '',
    first: 'slot-ring',
  },
  {
    name: 'slot ring: a thread that runs a job nobody has cancelled counts as stuck',
    file: 'ring/job-ends.ts',
    find: `(s) => this.begunState(s) === running && !this.#reasons.has(s & (this.#window - 1)),`,
    put: `(s) => this.begunState(s) === running && running === 0,`,
    first: 'lost-jobs',
  },
  {
    name: 'slot ring: a settled deferred job is counted for ever',
    file: 'ring/job-ends.ts',
    find: 'if ((state & STATE_MASK) === SlotState.DEFERRED) Atomics.sub(this.#words, RING.DEFERRED, 1);',
    put: '',
    first: 'lost-jobs',
  },
  {
    name: 'lost jobs: a job is run again as often as its threads die',
    file: 'ring/lost-jobs.ts',
    find: 'again.tries -= 1;',
    put: '',
    first: 'lost-jobs',
  },
  {
    name: 'lost jobs: the result of the first try is the input of the second',
    file: 'ring/lost-jobs.ts',
    find: `    words[base + SLOT.KIND] = again.kind;
    words[base + SLOT.LENGTH] = again.length;`,
    put: `    words[base + SLOT.LENGTH] = again.length;`,
    first: 'slot-ring',
  },
  {
    name: 'lost jobs: a job that was aborted is run again',
    file: 'ring/lost-jobs.ts',
    find: 'sent?.gone !== true && aborted === undefined) {',
    put: 'sent?.gone !== true) {',
    first: 'lost-jobs',
  },
  {
    name: 'arena: a full circle looks like an empty one',
    file: 'arena/slot-arena.ts',
    find: 'const first = this.#fit(head, tail - 1, bytes);',
    put: 'const first = this.#fit(head, tail, bytes);',
    first: 'slot-arena',
  },
  {
    name: 'arena: a guess of room grows into a hole',
    file: 'arena/slot-arena.ts',
    find: 'return hole === undefined ? end : Math.min(end, hole.first);',
    put: 'return hole === undefined ? end : end;',
    first: 'slot-arena',
  },
  {
    name: 'arena: holes are forgotten when one function has ended',
    file: 'arena/slot-arena.ts',
    find: 'this.#holes = this.#holes.filter((hole) => hole.sequence !== sequence);',
    put: 'void sequence;\n    this.#holes = [];',
    first: 'slot-arena',
  },
  // The runner of slots.
  {
    name: 'runner: a promise is believed as often as it settles',
    file: 'base/thenable.ts',
    find: 'void then.call(Promise.resolve(value), fulfilled, rejected);',
    put: 'void value.then(fulfilled, rejected);',
    first: 'hostile',
  },
  {
    name: 'runner: a `then` that throws when it is read is no error of the job',
    file: 'slot/slot-runner.ts',
    find: `      pending = typeof value === 'object' && isThenable(value);
    } catch (error) {
      if (context.deferred) this.#context = undefined;
      this.#outcome.failUnlessHandedOver(base, context, error);
      return;
    }`,
    put: `    } catch (error) {
      if (context.deferred) this.#context = undefined;
      this.#outcome.failUnlessHandedOver(base, context, error);
      return;
    }
    pending = typeof value === 'object' && isThenable(value);`,
    first: 'hostile',
  },
  {
    name: 'runner: the context of a pending job serves the next one too',
    file: 'slot/slot-runner.ts',
    find: `      this.#context = undefined;
      context.pend(`,
    put: `      context.pend(`,
    first: 'pending|series',
  },
  {
    name: 'runner: the function of an abandoned job ends unheard',
    file: 'slot/slot-runner.ts',
    find: "this.#host.post({ t: 'ended', ring: this.id, seq: context.sequence });",
    put: '',
    first: 'slot-ring',
  },
  {
    name: 'runner: a thread waits for abandoned promises',
    file: 'slot/slot-runner.ts',
    find: `    this.#ended(context);
    context.abandoned = true;`,
    put: `    context.abandoned = true;`,
    first: 'pending',
  },
  {
    name: 'runner: a reservation looks at no bound of pending promises',
    file: 'slot/slot-runner.ts',
    find: 'const allowed = Math.min(most, this.#share.room);',
    put: 'const allowed = most;',
    first: 'spread',
  },
  {
    name: 'runner: asynchronous jobs that compute are left to nobody',
    file: 'slot/async-share.ts',
    find: 'if (seen === Seen.NONE || (seen === Seen.WORKS && !hasShare)) {',
    put: 'if (seen >= 0) {',
    first: 'spread',
  },
  {
    name: 'runner: DONE before the kind of the result',
    file: 'slot/slot-outcome.ts',
    find: `    words[base + SLOT.KIND] = Kind.MESSAGE;
    this.#steps.finish(words, base);`,
    put: `    this.#steps.finish(words, base);
    words[base + SLOT.KIND] = Kind.MESSAGE;`,
    first: 'slot-ring',
  },
  {
    name: 'runner: a deferred job that fails late fails though it was completed',
    file: 'slot/slot-outcome.ts',
    find: 'if (state !== deferred) return;',
    put: 'void state;',
    first: 'hostile',
  },
  {
    name: 'context: a slot that once had a view of its output is taken to have one for ever',
    file: 'slot/job-context.ts',
    find: 'this.#holds = false;\n    this.hasReported',
    put: 'this.hasReported',
    first: 'slot-ring',
  },
  {
    name: 'context: more output than there is room for is written over the neighbours',
    file: 'slot/job-context.ts',
    find: 'if (bytes > words[this.#base + SLOT.OUT_ROOM]!) return new Uint8Array(bytes);',
    put: '',
    first: 'series',
  },
  {
    name: 'codec: a value that is written while another is written spoils it',
    file: 'slot/plain-codec.ts',
    find: 'if (outer !== undefined) ({ out, at, end, met, metMany } = outer);',
    put: 'if (outer !== undefined) ({ met, metMany } = outer);',
    first: 'hostile',
  },
  {
    name: 'codec: a value that is read while another is written spoils it',
    file: 'slot/plain-codec.ts',
    find: `  out = before;
  at = beforeAt;`,
    put: `  void [before, beforeAt];`,
    first: 'hostile',
  },
  {
    name: 'names: shapes of one hash are taken for each other',
    file: 'slot/object-names.ts',
    find: 'if (block[i] !== from[offset + i]) return false;',
    put: '',
    first: 'values',
  },
  {
    name: 'codec: beyond a dozen objects none is compared with the first',
    file: 'slot/plain-codec.ts',
    find: 'metMany ??= new Set(met);',
    put: 'metMany ??= new Set();',
    first: 'values',
  },
  {
    name: 'arena: a border between parts stops nothing',
    file: 'arena/slot-arena.ts',
    find: 'this.#holes.push({ ...BORDER, first: at, end: at });',
    put: '',
    first: 'values',
  },
  {
    name: 'arena without an order: a border between parts stops nothing',
    file: 'loose/loose-arena.ts',
    find: 'this.#link(border, this.#edge.before);',
    put: 'void border;',
    first: 'values',
  },
  {
    name: 'runner: a job in a part that the thread does not know is run',
    file: 'slot/slot-runner.ts',
    find: '    this.#aside.push(base);\n    this.#host.beginAsync();\n    return false;',
    put: '    return true;',
    first: 'values',
  },
  {
    name: 'ring: the threads hear nothing of a new part',
    file: 'ring/ring-base.ts',
    find: 'this.host.tellPart(this.id, part);',
    put: '',
    first: 'values',
  },
  {
    name: 'limits: one from the start counts from the submission',
    file: 'series/limited-runs.ts',
    find: 'if (!begun(limit.n)) limit.begunAt = undefined;\n      else if',
    put: 'if',
    first: 'limits',
  },
  {
    name: 'limits: an outcome lets the limit run on',
    file: 'series/limited-runs.ts',
    find: 'if (limit !== undefined) this.#limits.delete(limit);',
    put: '',
    first: 'limits',
  },
  {
    name: 'progress: the outcome does not wait for the reports before it',
    file: 'slot/slot-outcome.ts',
    find: 'const fits = list === undefined && !hasReported;',
    put: 'const fits = list === undefined;',
    first: 'progress',
  },
  {
    name: 'progress: what waits at the end is left out',
    file: 'slot/slot-outcome.ts',
    find: `      context?.endReports();
      // Writing`,
    put: `      // Writing`,
    first: 'progress',
  },
  {
    name: 'figures: jobs of closed series are forgotten',
    file: 'hub/ring-hub.ts',
    find: 'this.#figures.keep(ring.stats);',
    put: '',
    first: 'figures',
  },
  {
    name: 'figures: a job that runs is no time yet',
    file: 'crew/crew.ts',
    find: 'Math.max(0, current | 0)',
    put: 'Math.min(0, current | 0)',
    first: 'figures',
  },
  // Series.
  {
    name: 'series: an aborted run waits for its place in the order',
    file: 'series/limited-runs.ts',
    find: `        reject(asError(reason));
        this.#host.cancel(`,
    put: `        this.#host.cancel(`,
    first: 'pending',
  },
  {
    name: 'series: what a getter of an input submits waits for the next delivery',
    file: 'series/series.ts',
    find: 'if (this.#overflow.length === 1 && !this.#ring.isFull) {',
    put: 'if (this.#ring.isFull && this.#overflow.length < 0) {',
    first: 'hostile',
  },
  {
    name: 'series: the end of a series forgets what waits outside the window',
    file: 'series/series.ts',
    find: 'this.#overflow.failAll(reason);',
    put: 'void reason;',
    first: 'series|pending',
  },
  {
    name: 'halt: a share of one result is enough',
    file: 'series/halt.ts',
    find: 'return value >= 3 && (value * 100)',
    put: 'return (value * 100)',
    first: 'halt',
  },
  {
    name: 'iterator: reads one item more than the window',
    file: 'series/ordered-iterator.ts',
    find: 'while (this.#ahead < this.#sink.window && !this.#isStopped) {',
    put: 'while (this.#ahead <= this.#sink.window && !this.#isStopped) {',
    first: 'series',
  },
  {
    name: 'iterator: results that nobody takes keep their bytes',
    file: 'series/ordered-iterator.ts',
    find: 'for (let n = this.#queue.length; n > 0; n -= 1) this.#sink.release();',
    put: '',
    first: 'reuse',
  },
  {
    name: 'series: one that has ended keeps its listener on a signal',
    file: 'series/series.ts',
    find: 'if (this.#ended !== undefined) this.#letGo();',
    put: '',
    first: 'reuse',
  },
  {
    name: 'slot ring: streams and shells get views of bytes that the next job has',
    file: 'ring/slot-records.ts',
    find: '(flags & (Left.OWN | Left.PROMISE)) !== 0;',
    put: '(flags & Left.PROMISE) !== 0;',
    first: 'series|padata.test',
  },
  {
    name: 'share: a thread that leaves jobs to another waits for it again and again',
    file: 'slot/async-share.ts',
    find: 'if (seen === Seen.FREE) this.#others.giveUp(below);',
    put: '',
    first: 'spread',
  },
  {
    name: 'share: patience is a matter of the clock',
    file: 'slot/async-share.ts',
    find: 'Math.min(LOOK_MS, now - this.#lookedAt)',
    put: 'now - this.#lookedAt',
    first: 'spread',
  },
  {
    name: 'share: what has ended and is not delivered is shared too',
    file: 'slot/async-share.ts',
    find: 'return Math.min(out, unbegun + this.#count + this.#others.pending);',
    put: 'return out + 0 * unbegun;',
    first: 'spread',
  },
  {
    name: 'share: what is over goes to whoever looks first',
    file: 'slot/async-share.ts',
    find: '(this.#count + 1) * countWorkers(words, RING.ALLOWED, this.#threads) > this.#unended;',
    put: 'this.#count * countWorkers(words, RING.ALLOWED, this.#threads) >= this.#unended;',
    first: 'spread',
  },
  {
    name: 'hub: a ring that was empty for a turn is looked at no more',
    file: 'hub/busy-rings.ts',
    find: 'else ring.isListed = false;',
    put: '',
    first: 'busy-rings',
  },
  {
    name: 'worker: one that is to leave counts as free',
    file: 'worker/worker-core.ts',
    find: '    if (this.#leaving) return;\n    if (!this.#isFree) {',
    put: '    if (!this.#isFree) {',
    first: 'leaving',
  },
  {
    name: 'worker: one that leaves forgets what began while its last import ended',
    file: 'worker/worker-core.ts',
    find: '        // What had come before its module may have begun meanwhile.\n        if (this.#pendingAsync === this.#loads) break;',
    put: '        break;',
    first: 'leaving',
  },
  {
    name: 'crew: threads that wait for their output to be read are ended by force',
    file: 'crew/crew.ts',
    find: 'if (waits.length === 0) break;',
    put: 'for (const member of waits) void member.platform.terminate();\n      break;',
    first: 'output',
  },
  {
    name: 'series: what waits outside the window of a broken ring waits for ever',
    file: 'series/series.ts',
    find: 'const failed = job.failed ?? this.#ring.failure;',
    put: 'const failed = job.failed;',
    first: 'loading',
  },
  {
    name: 'iterator: the end of the source is found and nobody told',
    file: 'series/ordered-iterator.ts',
    find: `          this.#serve();
          return;`,
    put: `          return;`,
    first: 'ends',
  },
  // Ranges.
  {
    name: 'range: what was completed before an abort in the only call stays',
    file: 'range/range-solo.ts',
    find: 'await undoIfAborted(run, start + size, options.signal);',
    put: '',
    first: 'ends',
  },
  {
    name: 'plan: chunks are cut below their alignment',
    file: 'range/range-plan.ts',
    find: 'chunkSize = Math.ceil(chunkSize / align) * align;',
    put: 'chunkSize = Math.max(1, Math.floor(chunkSize / align) * align);',
    first: 'range-plan',
  },
  {
    name: 'run: messages of an earlier run in the same lane count',
    file: 'range/lane-run.ts',
    find: 'if (message.gate !== this.gate) return;',
    put: '',
    first: 'range-jobs',
  },
  {
    name: 'run: what a dead thread had claimed and not begun is forgotten',
    file: 'range/lane-run.ts',
    find: 'if (this.phase(k) === ChunkPhase.NONE) this.redo.push(k);',
    put: '',
    first: 'faults',
  },
  {
    name: 'run: a failed chunk is undone with its neighbours',
    file: 'range/lane-run.ts',
    find: `      if (phase < ChunkPhase.DONE || phase === ChunkPhase.FAILED) {
        open = undefined;`,
    put: `      if (phase < ChunkPhase.DONE) {
        open = undefined;`,
    first: 'range-jobs',
  },
  {
    name: 'lanes: works are lost when there is no lane',
    file: 'range/range-lanes.ts',
    find: `      this.#works.put(works);
      plan = planRange(shape, 0);`,
    put: '      plan = planRange(shape, 0);',
    first: 'edges|checklist',
  },
  {
    name: 'lane: a helper leaves without looking whether the owner waits',
    file: 'protocol/lane.ts',
    find: 'return ops.load(words, base + LANE.WAITING);',
    put: 'return 0;',
    first: 'protocols',
  },
  {
    name: 'caller: an abort between chunks is not seen',
    file: 'range/range-engine.ts',
    find: `    const onAbort = (): void => {
      protocol.stop(this.#words, active.place.base);
    };`,
    put: '    const onAbort = (): void => undefined;',
    first: 'range-jobs|edges',
  },
  // Rings without an order.
  {
    name: 'loose ring: a result whose message comes after its slot is delivered by nobody',
    file: 'loose/loose-ring.ts',
    find: 'if (this.#places[index] === Place.AWAITS_MESSAGE) this.#isReady(index);',
    put: '',
    first: 'unordered/series',
  },
  {
    name: 'loose ring: a result is delivered before its message has come',
    file: 'loose/loose-ring.ts',
    find: 'if (this.records.hasOutcome(base, index)) this.#isReady(index);',
    put: 'if (base !== 0) this.#isReady(index);',
    first: 'unordered/series',
  },
  {
    name: 'loose ring: what a dead thread had reserved waits for ever',
    file: 'loose/loose-ring.ts',
    find: 'if (state === SlotState.READY) this.#queue.add(sequence & (this.window - 1));',
    put: 'void state;',
    first: 'unordered/ring',
  },
  {
    name: 'loose ring: a late word about an earlier job counts for the one that has its slot now',
    file: 'loose/loose-ring.ts',
    find: 'return this.#places[index] !== Place.FREE && this.#sequenceIn(index) === (sequence | 0);',
    put: 'return this.#places[index] !== Place.FREE;',
    first: 'unordered/ring',
  },
  {
    name: "loose ring: bytes are another job's before the callback has seen them",
    file: 'loose/loose-ring.ts',
    find: `    records.tell(index, number, flags, failed, value, this.onOutcome);
    this.#arena.giveBack(stretch);`,
    put: `    this.#arena.giveBack(stretch);
    records.tell(index, number, flags, failed, value, this.onOutcome);`,
    first: 'unordered/ring',
  },
  {
    name: 'loose ring: a callback may deliver within a delivery',
    file: 'loose/loose-ring.ts',
    find: 'if (this.#delivering) return 0;',
    put: '',
    first: 'slot-ring',
  },
  {
    name: 'loose ring: a job is called by its slot, not by its number',
    file: 'loose/loose-ring.ts',
    find: 'const found = this.jobs().find((s) => this.#numberOf(s) === number);',
    put: 'const found = this.jobs().find((s) => s === number);',
    first: 'unordered/ends',
  },
  {
    name: 'start queue: a place that names a job nobody has begun is written over',
    file: 'loose/start-queue.ts',
    find: 'while (this.#stays(base)) this.#end',
    put: 'while (this.#stays(base) && base < 0) this.#end',
    first: 'unordered/parts',
  },
  {
    name: 'free slots: one that is given back goes where another lies',
    file: 'loose/free-slots.ts',
    find: '(this.#first + this.#free) & this.#mask',
    put: '(this.#first + this.#free + 1) & this.#mask',
    first: 'unordered/parts',
  },
  {
    name: 'loose arena: a hole is given out again with the bytes of its slot',
    file: 'loose/loose-arena.ts',
    find: `    // The slot has let go of it already; its delivery gives nothing back.
    this.#bySlot[index] = undefined;`,
    put: '',
    first: 'unordered',
  },
  {
    name: 'loose arena: a search that goes round ends before the last gap',
    file: 'loose/loose-arena.ts',
    find: 'return stretch.after === this.#edge ? this.bytes : stretch.after.first;',
    put: 'return stretch.after === this.#edge ? stretch.end : stretch.after.first;',
    first: 'unordered',
  },
  {
    name: 'loose: who ends a job while another does loses it',
    file: 'protocol/loose.ts',
    find: 'if (ops.compareExchange(ring, RING.ENDED, before, base) === before) return;',
    put: 'ops.store(ring, RING.ENDED, base);\n        return;',
    first: 'protocols',
  },
  // Threads and modules.
  {
    name: 'crew: a pool that closes lets the process end first',
    file: 'crew/crew.ts',
    find: 'if (this.#refs > 0 || this.#closing || this.#outputTimer',
    put: 'if (this.#refs > 0 || this.#outputTimer',
    first: 'ends',
  },
  {
    name: 'modules: all that a thread imports are to blame for its end',
    file: 'crew/module-deaths.ts',
    find: 'const isOwn = importing.size === 1 && (!used',
    put: 'const isOwn = importing.size > 0 && (!used',
    first: 'blame',
  },
  {
    name: 'modules: one that was imported after all stays suspect',
    file: 'crew/module-deaths.ts',
    find: `    this.#suspects.delete(href);
    this.#proven.add(href);`,
    put: `    this.#proven.add(href);`,
    first: 'blame',
  },
  {
    name: 'modules: one is to blame for what jobs did to a thread that imports it',
    file: 'crew/module-deaths.ts',
    find: '(!used || (alone',
    put: '(used || !used || (alone',
    first: 'blame',
  },
  {
    name: 'modules: one that others have lived through is suspect because of what jobs did',
    file: 'crew/module-deaths.ts',
    find: 'if (!isOwn && this.#proven.has(href)) continue;',
    put: '',
    first: 'blame',
  },
  {
    name: 'imports: nobody waits for a suspect',
    file: 'worker/module-imports.ts',
    find: 'while (isSuspect ? this.#underWay > 0 : this.#suspects > 0) {',
    put: 'while (isSuspect ? this.#underWay > 0 : this.#suspects < 0) {',
    first: 'blame',
  },
  {
    name: 'worker: a thread that is to leave waits for an import that never ends',
    file: 'worker/worker-core.ts',
    find: 'if (this.#leaving && this.#pendingAsync === this.#loads) {',
    put: 'if (this.#leaving && this.#pendingAsync === 0) {',
    first: 'blame',
  },
  {
    name: 'hub: suspects are given up where there are no threads',
    file: 'hub/ring-hub.ts',
    find: 'if (modules.isSuspect(href)) await this.#crew.prove(href, name, this.#loadTimeoutMs);',
    put: '',
    first: 'blame',
  },
  {
    name: 'deferred: the value is read when the job is claimed',
    file: 'slot/deferred.ts',
    find: 'if (isPlain(value)) {',
    put: 'if (isPlain(value) && room < 0) {',
    first: 'padata.test',
  },
  {
    name: 'Web pair: the reader does not hear that the writer failed',
    file: 'series/streams.web.ts',
    find: `          fail(error);
          throw error;`,
    put: '          throw error;',
    first: 'ends',
  },
];
export default mutants;
