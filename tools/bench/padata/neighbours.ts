/** Processes that keep the processors busy with nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('programs/neighbour.mjs', import.meta.url));

/** Starts so many; resolves, when all are busy, to what ends them. They end with this process too. */
export async function busyNeighbours(count: number): Promise<() => Promise<void>> {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  await Promise.all(children.map((child) => once(child.stdout, 'data')));
  return async () => {
    const ended = children.map((child) => once(child, 'exit'));
    for (const child of children) child.kill();
    await Promise.all(ended);
  };
}
