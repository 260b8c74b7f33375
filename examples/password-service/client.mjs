import { request } from 'node:http';
import { json } from 'node:stream/consumers';

/** Asks the service; resolves to `{ status, body }`, or to `{ status: 'gone' }` when `signal` hung up before. */
export function ask(port, path, body, signal) {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', signal, agent: false };
    request(options, (response) => {
      json(response).then((told) => resolve({ status: response.statusCode, body: told }), reject);
    })
      .once('error', (error) => (signal?.aborted ? resolve({ status: 'gone' }) : reject(error)))
      .end(JSON.stringify(body));
  });
}
