// A busy neighbour: computes until it is ended, or its parent has.
import { burn } from '../threads/tasks.mjs';

const parent = process.ppid;
process.stdout.write('busy\n');
const turn = () => {
  burn(10_000_000);
  if (process.ppid === parent) setImmediate(turn);
};
turn();
