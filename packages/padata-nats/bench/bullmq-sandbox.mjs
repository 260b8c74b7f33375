// The same job as a sandboxed processor: BullMQ runs it in threads of its worker process.
import { work } from './jobs.mjs';

export default function run(job) {
  const { n, blocks } = job.data;
  return Promise.resolve(blocks === 0 ? n + 1 : work(blocks));
}
