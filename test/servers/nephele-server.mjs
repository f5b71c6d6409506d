// Nephele on a folder, as a process of its own: `node nephele-server.mjs <root> <port> <user> <password>`.
import { createRequire } from 'node:module';
import FileSystemAdapter from '@nephele/adapter-file-system';
import { createServer, UnauthorizedError } from 'nephele';

const [root, port, username, password] = process.argv.slice(2);
const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const authenticator = {
  async authenticate(request, response) {
    if (request.get('authorization') === expected) return { username };
    response.set('WWW-Authenticate', 'Basic realm="LFS", charset="UTF-8"');
    throw new UnauthorizedError('A user name and a password are needed.');
  },
  async cleanAuthentication() {},
};

// It forgets to close the file of an upload that was cut off, which ends Node 26 at some later garbage collection. Who
// runs it has something that starts it again.
process.on('uncaughtException', (error) => console.error(error));

// The very Express that Nephele brings along.
const express = createRequire(import.meta.resolve('nephele'))('express');
express()
  .use('/lfs', createServer({ adapter: new FileSystemAdapter({ root }), authenticator }))
  .listen(Number(port), '127.0.0.1');
