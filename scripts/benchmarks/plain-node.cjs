// A fake agent: the least that any agent in Node can do. It hashes and copies, and has no store, no checks, no errors, no sync.
const { closeSync, copyFileSync, openSync, readSync, writeSync } = require('node:fs');
const [store, first] = process.argv.slice(2);

function upload({ path, size, oid }) {
  const buffer = Buffer.allocUnsafe(size);
  const source = openSync(path, 'r');
  readSync(source, buffer, 0, size, null);
  closeSync(source);
  if (require('node:crypto').createHash('sha256').update(buffer).digest('hex') !== oid) throw new Error(`not ${oid}`);
  const target = openSync(`${store}/${oid}`, 'w');
  writeSync(target, buffer);
  closeSync(target);
  return { event: 'complete', oid };
}

function download({ oid }) {
  const path = `${process.cwd()}/.git/lfs/tmp/${oid}`;
  copyFileSync(`${store}/${oid}`, path);
  return { event: 'complete', oid, path };
}

function answer(line) {
  const request = JSON.parse(line);
  if (request.event === 'terminate') process.reallyExit(0);
  writeSync(1, `${JSON.stringify(request.event === 'upload' ? upload(request) : download(request))}\n`);
}

answer(first);
const bytes = Buffer.allocUnsafe(65_536);
let text = '';
for (let count = readSync(0, bytes); count > 0; count = readSync(0, bytes)) {
  text += bytes.toString('utf8', 0, count);
  const lines = text.split('\n');
  text = lines.pop();
  for (const line of lines) answer(line);
}
