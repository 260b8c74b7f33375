/**
 * The connection to the server, as users of NATS configure it: servers, credentials file or user and password,
 * TLS. It reconnects for ever by default; what was under way then is published again under the same message id.
 */
import { readFile } from 'node:fs/promises';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { PadataNatsError, textOf } from '../wire/errors.js';

/** How to reach the server. */
export interface ConnectionOptions {
  /** `nats://host:4222`, or several of one cluster. Default nats://127.0.0.1:4222. */
  readonly servers?: string | readonly string[];
  /** Name that the server's monitoring shows. */
  readonly name?: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** Path of a credentials file (`.creds`, JWT and NKey seed). */
  readonly creds?: string;
  /** Paths of PEM files; an empty object asks for TLS with the system's authorities. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Time for the first connection, in milliseconds; default 5000. */
  readonly connectTimeoutMs?: number;
  /** Attempts to connect again; -1 (default) = without end. */
  readonly maxReconnectAttempts?: number;
}

/** Time between two attempts, in milliseconds. */
const RECONNECT_WAIT_MS = 250;

/**
 * Connects.
 * @throws ERR_PADATA_NATS_CONNECT with the reason: no server, refused credentials, a file that cannot be read
 */
export async function openConnection(options: ConnectionOptions): Promise<NatsConnection> {
  const { servers = 'nats://127.0.0.1:4222', name, user, pass, token, creds, tls } = options;
  const list = typeof servers === 'string' ? [servers] : [...servers];
  try {
    return await connect({
      servers: list,
      timeout: options.connectTimeoutMs ?? 5000,
      maxReconnectAttempts: options.maxReconnectAttempts ?? -1,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      ...(name === undefined ? {} : { name }),
      ...(user === undefined ? {} : { user }),
      ...(pass === undefined ? {} : { pass }),
      ...(token === undefined ? {} : { token }),
      ...(creds === undefined ? {} : { authenticator: credsAuthenticator(await readFile(creds)) }),
      ...(tls === undefined
        ? {}
        : {
            tls: {
              ...(tls.ca === undefined ? {} : { caFile: tls.ca }),
              ...(tls.cert === undefined ? {} : { certFile: tls.cert }),
              ...(tls.key === undefined ? {} : { keyFile: tls.key }),
            },
          }),
    });
  } catch (error) {
    throw new PadataNatsError(
      'ERR_PADATA_NATS_CONNECT',
      `cannot connect to ${list.join(', ')}: ${textOf(error)}`,
      { servers: list },
      { cause: error },
    );
  }
}
