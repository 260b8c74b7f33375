/** All types of a description; see types/description.ts for the whole. */
export type {
  Architecture,
  ByteRange,
  Located,
  LocatedRange,
  Problem,
  ProblemCode,
  Severity,
  ZoneName,
} from './types/common.js';
export type { EfiEntry, FirmwareMaps, MapEdit, MapEntry, RangeKind } from './types/firmware.js';
export type { CpuAffinity, NodeData, NumaDescription, NumaMerge, SratEntry } from './types/numa.js';
export type {
  DeferredLine,
  EarlyRange,
  FreeingLine,
  HugetlbLine,
  MemoryLine,
  NodePages,
  NodeSetup,
  PrintedTruths,
  PrintedZonelist,
  UnavailablePages,
  ZoneRange,
  ZonelistsLine,
} from './types/printed.js';
export type {
  MemblockDump,
  MemblockList,
  MemblockLog,
  MemblockOperation,
  MemblockRegionLine,
} from './types/memblock.js';
export type {
  CrashkernelOption,
  HugepagesOption,
  MemmapOption,
  MemoryAmount,
  MemoryOptions,
  NumaOption,
} from './types/options.js';
export type {
  BuddyinfoRow,
  IomemEntry,
  PagetypeInfo,
  ProcFiles,
  SysfsNode,
  ZoneinfoZone,
} from './types/proc.js';
export type {
  CommandLine,
  CpuCounts,
  DescriptionSource,
  DescriptionVersion,
  KernelIdentity,
  MachineDescription,
  SourceFormat,
} from './types/description.js';
