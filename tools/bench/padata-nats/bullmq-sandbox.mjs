// The same job as a sandboxed processor: BullMQ runs it in threads of its worker process.
import { perform } from './jobs.mjs';

export default function run(job) {
  const { n, length } = job.data;
  return Promise.resolve(perform(length, n));
}
