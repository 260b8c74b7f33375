/** What a program is told on its console. */
let noticed = false;
/** Says once why there are no threads: a fallback in silence would look like a slow library. */
export function notice(why: string): void {
  if (noticed) return;
  noticed = true;
  (globalThis as { console?: { warn(text: string): void } }).console?.warn(
    `padata: ${why}, so jobs run on the calling thread`,
  );
}
