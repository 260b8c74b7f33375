/** Certificates for tests, made by openssl: an authority, and a server and a client that it vouches for. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Is there an openssl? */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) {
  process.stderr.write('\n*** SKIPPED: no openssl to make certificates: TLS is not tested.\n');
}

/** Paths of what one side shows, and of the authority. */
export interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes them.
 * @param folder where they lie
 */
export function makeCertificates(folder: string): { server: Identity; client: Identity } {
  const make = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const fresh = ['-newkey', 'rsa:2048', '-nodes'];
  const named = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  const days = ['-days', '2'];
  make('req', '-x509', ...fresh, ...days, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
  const identity = (name: string): Identity => {
    const [key, csr, pem] = [`${name}.key`, `${name}.csr`, `${name}.pem`];
    make('req', ...fresh, '-keyout', key, '-out', csr, '-subj', `/CN=${name}`, ...named);
    make(
      'x509',
      '-req',
      '-in',
      csr,
      ...authority,
      ...days,
      '-copy_extensions',
      'copy',
      '-out',
      pem,
    );
    return { ca: join(folder, 'ca.pem'), cert: join(folder, pem), key: join(folder, key) };
  };
  return { server: identity('server'), client: identity('client') };
}
