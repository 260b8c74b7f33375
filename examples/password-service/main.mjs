// node main.mjs [--requests N] [--cost LOG2N] [--threads N] [--repeat N]: a burst of requests at a service on a free port, of
// which each third is given up when the first answer has come, and one takes longer than it may.
import { setMaxListeners } from 'node:events';
import { check, compare, numbers } from '../compare.mjs';
import { ask } from './client.mjs';
import { derive } from './jobs.mjs';
import * as padata from './padata.mjs';
import * as piscina from './piscina.mjs';
import { serve } from './service.mjs';

const { requests, cost, threads, repeat } = numbers({ requests: 30, cost: 12 });
const told = [];

async function burst(name, createHasher) {
  const hasher = createHasher({ threads, deadlineMs: 120_000 });
  const service = await serve(hasher);
  const hangUp = new AbortController();
  setMaxListeners(requests, hangUp.signal);
  const answers = await Promise.all(
    Array.from({ length: requests }, async (_, i) => {
      const signal = i % 3 === 2 ? hangUp.signal : undefined;
      const answer = await ask(service.port, '/hash', { password: `secret ${i}`, cost }, signal);
      hangUp.abort();
      return answer;
    }),
  );
  const computed = hasher.computed();
  const gone = count(answers, 'gone');
  told.push(`${name}: ${requests} requests, ${gone} given up, ${computed} hashes computed`);
  return async () => {
    await checkService(service.port, answers);
    await service.close();
    await hasher.close();
  };
}

const count = (answers, status) => answers.filter((answer) => answer.status === status).length;

async function checkService(port, answers) {
  for (const [i, { status, body }] of answers.entries()) {
    if (status === 'gone') {
      check(i % 3 === 2, 'only those who hung up got no answer');
      continue;
    }
    check(status === 200, `answer ${i} is ${status}`);
    const [, logN, salt, key] = body.result.split(':');
    const expected = derive(`secret ${i}`, Buffer.from(salt, 'hex'), Number(logN));
    check(key === expected.toString('hex'), `hash ${i} is that of its password`);
  }
  const stored = answers[0].body.result;
  const hopeless = { password: 'secret 0', cost: 17, timeoutMs: 20 };
  const [right, wrong, late] = await Promise.all([
    ask(port, '/verify', { password: 'secret 0', stored }),
    ask(port, '/verify', { password: 'secret 1', stored }),
    ask(port, '/hash', hopeless),
  ]);
  check(right.body.result === true, 'the right password is accepted');
  check(wrong.body.result === false, 'the wrong one is not');
  check(late.status === 503, `what takes longer than it may is refused, got ${late.status}`);
  const after = await ask(port, '/verify', { password: 'secret 0', stored });
  check(after.body.result === true, 'and the service goes on');
}

const subject = (name, { createHasher }) => ({
  file: new URL(`./${name}.mjs`, import.meta.url),
  work: () => burst(name, createHasher),
});
await compare({ padata: subject('padata', padata), piscina: subject('piscina', piscina) }, repeat);
for (const line of told) console.log(line);
