// A network link that can be cut: listens on loopback and forwards to a port of loopback. While it is cut, nothing gets through in
// either direction and nobody is told, as when a switch fails: connections stay, what was sent waits, new ones are not answered.
import { connect, createServer } from 'node:net';

/** A link to one server. */
export class TcpLink {
  #server;
  #to;
  #isCut = false;
  #ends = new Set();

  constructor(to) {
    this.#to = to;
    this.#server = createServer((near) => this.#join(near));
  }

  /** Opens a link. */
  static async to(port) {
    const link = new TcpLink(port);
    await new Promise((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get port() {
    return this.#server.address().port;
  }

  get url() {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Nothing gets through from now on. */
  cut() {
    this.#isCut = true;
    for (const end of this.#ends) end.pause();
  }

  /** What waits goes on its way. */
  heal() {
    this.#isCut = false;
    for (const end of this.#ends) end.resume();
  }

  /** Closes the link and all connections. */
  async close() {
    for (const end of this.#ends) end.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near) {
    const far = connect({ host: '127.0.0.1', port: this.#to });
    for (const [end, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#ends.add(end);
      end.setNoDelay(true);
      end.on('data', (chunk) => other.write(chunk));
      // The end of a connection is news too: it comes after what waits.
      end.on('end', () => other.end());
      end.on('error', () => other.destroy());
      end.on('close', () => {
        this.#ends.delete(end);
        other.end();
      });
      if (this.#isCut) end.pause();
    }
  }
}
