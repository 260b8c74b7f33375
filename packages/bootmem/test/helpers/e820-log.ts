/** A log whose map has many entries: pages of memory with a reserved page after each, and the early ranges that follow. */
export function e820Log(entries: number): string {
  const hex = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;
  const ranges = Array.from({ length: entries }, (_, index) => {
    const start = 0x100000 + index * 0x4000;
    return { range: `[mem ${hex(start)}-${hex(start + 0x3fff)}]`, usable: index % 2 === 0 };
  });
  return [
    'Linux version 6.12.0 (a@b) #1 SMP',
    'Command line: ro',
    ...ranges.map(({ range, usable }) => `BIOS-e820: ${range} ${usable ? 'usable' : 'reserved'}`),
    'Early memory node ranges',
    ...ranges.filter(({ usable }) => usable).map(({ range }) => `  node   0: ${range}`),
  ]
    .map((line) => `[    0.000000] ${line}\n`)
    .join('');
}
