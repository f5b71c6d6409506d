import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Certificates {
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}

const EXTENSIONS = {
  ca: 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n',
  server: 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n',
  client: 'extendedKeyUsage=clientAuth\n',
};

/**
 * Makes, in `folder`, a private authority and what it signs: a certificate for localhost and 127.0.0.1, and one for a
 * client. New ones each time, good for a day. Needs the openssl program.
 */
export function makeCertificates(folder: string): Certificates {
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  for (const name of ['ca', 'server', 'client'] as const) {
    writeFileSync(path(`${name}.ext`), EXTENSIONS[name]);
    const subject = `/CN=${name === 'server' ? 'localhost' : `depot test ${name}`}`;
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    openssl('req', '-new', ...newKey, '-subj', subject, '-out', `${name}.csr`);
    const signer = name === 'ca' ? ['-signkey', 'ca.key'] : ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    const request = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-days', '1'];
    openssl('x509', '-req', ...request, ...signer, '-out', `${name}.crt`);
  }
  return {
    ca: path('ca.crt'),
    server: { cert: path('server.crt'), key: path('server.key') },
    client: { cert: path('client.crt'), key: path('client.key') },
  };
}
