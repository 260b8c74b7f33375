/** What one 4 MiB block costs where the platform is modelled. */
import { createSnpModel, createTdxModel } from '@bootmem/unaccepted-memory/platform';
import type { Samples } from '../../../kit/samples.js';
import { M } from '../support/stage.js';

export function platforms(samples: Samples): void {
  const name = 'modelled platforms: one block of 4 MiB';
  const small = { hostPageSize: 4096 };
  const models = [
    ['TDX, host maps 2 MiB', createTdxModel()],
    ['TDX, host maps 4 KiB', createTdxModel(small)],
    ['TDX with MapGPA (2021), 2 MiB', createTdxModel({ mapGpa: true })],
    ['SNP, host maps 2 MiB', createSnpModel()],
    ['SNP, host maps 4 KiB', createSnpModel(small)],
  ] as const;
  for (const [subject, model] of models) {
    const { calls, cycles } = model.cost(0, 4 * M);
    samples.add(name, subject, 'calls', '', calls);
    samples.add(name, subject, 'cycles', '', cycles);
    samples.add(name, subject, 'cycles of a 2 MiB unit', '', model.cost(0, 2 * M).cycles);
  }
}
