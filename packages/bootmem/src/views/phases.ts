/** How long the kernel took from step to step, by the time stamps of its own log. */
import type { LoadedMachine } from '../input/types.js';
import type { PhasesView, PhaseView } from '../view-result.js';

const TIME = /\[ *(\d{1,7}\.\d{1,9})\]/;

/** @param input  a loaded machine; without time stamps in its log there are no phases */
export function phasesView(input: LoadedMachine): PhasesView {
  const { firmware, printed, kernel } = input.description;
  const last = (list: readonly { readonly line: number }[]): number =>
    list.reduce((line, one) => Math.max(line, one.line), 0);
  const steps: readonly (readonly [string, number])[] = [
    ['kernel begins', kernel?.line ?? 0],
    ['firmware map read', last(firmware.map)],
    ['zones sized', last(printed.zoneRanges)],
    ['nodes set up', last(printed.nodeSetups)],
    ['zonelists built: first allocation', printed.zonelists?.line ?? 0],
    ['memory counted', printed.memory?.line ?? 0],
    ['deferred pages initialised', last(printed.deferred)],
    ['initrd given back', last(printed.freeing.filter(({ what }) => /initrd/i.test(what)))],
    [
      'unused parts of the image given back',
      last(printed.freeing.filter(({ what }) => /unused kernel|init memory/i.test(what))),
    ],
  ];
  const phases = steps.flatMap(([phase, line]): PhaseView[] => {
    const text = input.lines?.get(line)?.trim();
    const seconds = Number(TIME.exec(text ?? '')?.[1] ?? NaN);
    return text === undefined || Number.isNaN(seconds)
      ? []
      : [{ phase, seconds, evidence: { line, text } }];
  });
  return {
    schema: 'bootmem/phases',
    version: 1,
    source: input.source,
    phases: phases.sort((a, b) => a.seconds - b.seconds || a.evidence.line! - b.evidence.line!),
  };
}
