// The same job as a sandboxed processor: BullMQ runs it in threads of its worker process.
import { burn } from '../../padata/bench/tasks.mjs';

export default function run(job) {
  const { n, steps } = job.data;
  return Promise.resolve(steps === 0 ? n + 1 : burn(steps));
}
