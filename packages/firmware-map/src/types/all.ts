/** All types of a description; see types/description.ts for the whole. */
export type {
  Architecture,
  ByteRange,
  LocatedRange,
  Problem,
  ProblemCode,
  Severity,
  ZoneName,
} from './common.js';
export type { DeviceTreeReserve, EfiEntry, MapEdit, MapEntry, RangeKind } from './firmware.js';
export type { CpuAffinity, NodeData, NumaMerge, SratEntry } from './numa.js';
export type {
  DeferredLine,
  EarlyRange,
  FreeingLine,
  CmaArea,
  HugetlbLine,
  MemoryLine,
  MemoryUse,
  NodeSetup,
  PrintedZonelist,
  UnavailablePages,
  ZoneRange,
  ZonelistsLine,
} from './printed.js';
export type {
  MemblockDump,
  MemblockList,
  MemblockOperation,
  MemblockRegionLine,
} from './memblock.js';
export type {
  CrashkernelOption,
  HugepagesOption,
  MemmapOption,
  MemoryAmount,
  MemoryOptions,
  NumaOption,
} from './options.js';
export type { BuddyinfoRow, IomemEntry, ProcFiles } from './proc.js';
export type {
  CommandLine,
  CpuCounts,
  DescriptionSource,
  KernelIdentity,
  MachineDescription,
  SourceFormat,
} from './description.js';
