import {
  createZoneGrower,
  PageInitError,
  planInit,
  type DeferredNode,
  type GrowHook,
  type InitPlan,
  type PageSink,
  type PlanRun,
} from '@bootmem/page-init';

const plan: InitPlan = planInit({
  memory: [{ startPfn: 0, endPfn: 0x20000, nid: 0 }],
  reserved: [],
  zones: [{ nid: 0, zoneIndex: 2, startPfn: 0, endPfn: 0x20000 }],
});
const runs: readonly PlanRun[] = plan.runs;
if (runs.length !== 2) throw new Error(`expected two runs, got ${runs.length}`);
const sink: PageSink = { freeBlocks: (start: number, end: number): number => end - start };
const none: DeferredNode[] = [];
const grow: GrowHook = createZoneGrower(none);
if (grow(1, 0) || sink.freeBlocks(0, 4) !== 4) throw new Error('grew without a node');
try {
  planInit({ memory: [{ startPfn: 5, endPfn: 5, nid: 0 }], reserved: [], zones: [] });
  throw new Error('an empty range was accepted');
} catch (error) {
  if (!(error instanceof PageInitError) || error.code !== 'ERR_PAGE_INIT_ARGUMENT') throw error;
}
