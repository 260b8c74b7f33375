// The bus of an emulated machine: which device has this address? Windows of bridges are the list `memory`, what devices have claimed in
// them is the list `reserved`; each address says who has it. Overlap is refused, and a device outside every window. One level lies in
// another, two do not: a list has one owner an address, and there are two lists.
import { Memblock } from '@bootmem/memblock';

const map = new Memblock();
const hex = (value) => `0x${value.toString(16)}`;
const end = ({ base, size }) => base + size;

function addWindow(name, base, size) {
  if (map.overlaps('memory', base, size)) throw new Error(`${name}: the window is taken`);
  map.add(base, size, { payload: { name } });
}

/** A device's registers at a place of its own wish. */
function claim(device, base, size) {
  const window = map.payloadAt('memory', base);
  const inside = window !== undefined && base + size <= end(window);
  if (!inside) throw new Error(`${device.name}: no window has ${hex(base)}-${hex(base + size)}`);
  const first = [...map.reservedRanges()].find(
    ({ start, end }) => start < base + size && end > base,
  );
  if (map.overlaps('reserved', base, size)) {
    const owner = map.payloadAt('reserved', Math.max(base, first.start)).payload.device;
    throw new Error(`${device.name}: overlaps ${owner.name}`);
  }
  map.reserve(base, size, { payload: { device, base } });
  return base;
}

/** A device's registers where there is room: aligned to their size, as PCI wants it. */
function place(device, size, window) {
  const { base, size: room } = map
    .payloads('memory')
    .find(({ payload }) => payload.name === window);
  const at = map.allocRange(size, { align: size, start: base, end: base + room });
  if (at === undefined) throw new Error(`${device.name}: no room in ${window}`);
  map.setPayload(at, size, 'reserved', { device, base: at });
  return at;
}

function access(address) {
  const found = map.payloadAt('reserved', address)?.payload;
  if (found !== undefined) return `${found.device.name} + ${hex(address - found.base)}`;
  const window = map.payloadAt('memory', address)?.payload;
  return window === undefined ? 'nobody' : `nobody in ${window.name}`;
}

const attempt = (work) => {
  try {
    return hex(work());
  } catch (error) {
    return error.message;
  }
};

addWindow('isa', 0xfe00_0000, 0x10_0000);
addWindow('pci', 0xc000_0000, 0x100_0000);
const [uart, rtc, net, disk] = ['uart', 'rtc', 'net', 'disk'].map((name) => ({ name }));
console.log(attempt(() => claim(uart, 0xfe00_03f8, 8)));
console.log(attempt(() => claim(rtc, 0xfe00_03fc, 16)));
console.log(attempt(() => claim(rtc, 0xfe00_0400, 16)));
console.log(attempt(() => claim(disk, 0xd000_0000, 4096)));
console.log(attempt(() => place(net, 0x2_0000, 'pci')));
console.log(attempt(() => place(disk, 0x1000, 'pci')));
console.log(attempt(() => place({ name: 'frame buffer' }, 0x100_0000, 'pci')));

const net0 = map.payloads('reserved').find(({ payload }) => payload.device === net);
for (const address of [
  0xfe00_03fa,
  0xfe00_0402,
  net0.base + 0x1_0010,
  0xc000_0000,
  0xfe01_0000,
  0,
]) {
  console.log(`${hex(address)}: ${access(address)}`);
}
// Unplugged: the place is free, and nobody has it.
map.free(net0.base, net0.size);
console.log(`${hex(net0.base)}: ${access(net0.base)}`);
console.log(`taken: ${map.reservedSize} bytes in ${map.payloads('reserved').length} places`);
map.verify();
