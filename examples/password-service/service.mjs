// POST /hash {password, cost} and POST /verify {password, stored}; both take timeoutMs, how long the function may compute.
// 200 {result}, 503 when a limit was over. What nobody waits for any more is given up.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

const ROUTES = { '/hash': 'hash', '/verify': 'verify' };

/** Serves on a free port of this machine; resolves to `{ port, close }`. */
export async function serve(hasher) {
  const server = createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const { timeoutMs, ...input } = await json(request);
      const name = ROUTES[request.url];
      if (name === undefined) answer(404, { error: `no ${request.url}` });
      else
        answer(200, { result: await hasher.run(name, input, { signal: gone.signal, timeoutMs }) });
    } catch (error) {
      if (gone.signal.aborted) return;
      if (hasher.isLate(error)) answer(503, { error: 'took too long' });
      else answer(400, { error: error.message });
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    port: server.address().port,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
