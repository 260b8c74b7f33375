/** Entry `@bootmem/page-init/device`: device memory and hot-added memory, at run time. */
export {
  type BackgroundOptions,
  DeviceMemory,
  type DeviceMemoryOptions,
} from './device/device-memory.js';
export { DeviceInit, type DeviceInitHandle } from './device/init.js';
export type { DeviceMapping, DevicePageInfo } from './device/mapping.js';
export type { DeviceBackend, LogLine, PagemapRequest } from './device/types.js';
export type { HotplugLock } from './hotplug/hotplug-lock.js';
export { MemoryHotplug, type MemoryHotplugOptions } from './hotplug/memory-hotplug.js';
export { SubsectionMap } from './hotplug/subsections.js';
export type { PagemapType } from './profiles.js';
