// Loaded before the program: what it used, told on file descriptor 3 as it ends.
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    try {
      writeSync(3, `${(userCPUTime + systemCPUTime) / 1000} ${maxRSS / 1024}`);
    } catch {
      // Nobody asks.
    }
  });
}
