/** A network link to one port of loopback that can be cut. */
export class TcpLink {
  /** @param port of the server */
  static to(port: number): Promise<TcpLink>;
  readonly port: number;
  /** As a NATS server's. */
  readonly url: string;
  /** Nothing gets through from now on, and nobody is told. */
  cut(): void;
  /** What waits goes on its way. */
  heal(): void;
  /** Closes the link and all connections. */
  close(): Promise<void>;
}
