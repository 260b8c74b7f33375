import { expect, test } from '@jest/globals';
import { synthesize } from '@bootmem/firmware-map';
import { bootMemory } from 'bootmem';

const dying = (when: 'chunk' | 'section'): string =>
  new URL(`./helpers/dying-worker.mjs?when=${when}`, import.meta.url).href;
const description = synthesize({ memory: '24G' });

test('a thread that dies between two sections costs nothing: the caller goes on where it stopped', async () => {
  await using whole = await bootMemory(description, { threads: 1 });
  const workerModule = dying('chunk');
  await using machine = await bootMemory(description, { threads: 2, workerModule });
  const { died } = (await import(workerModule)) as { died: () => boolean };
  expect(died()).toBe(true);
  expect(machine.buddyinfo()).toBe(whole.buddyinfo());
});

test('a thread that dies in the middle of a section fails the boot, and nobody waits for it', async () => {
  const workerModule = dying('section');
  await expect(bootMemory(description, { threads: 2, workerModule })).rejects.toMatchObject({
    code: 'ERR_PAGE_INIT_INCOMPLETE',
  });
});
