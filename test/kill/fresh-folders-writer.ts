/** One writer of fresh-folders.test.ts: stores a file into one new folder after the other, and prints what fails. */
import { basename } from 'node:path';
import { openFolder } from '../../backends/folder/folder.ts';

const [root = '', file = '', sha256 = '', size, folders, start] = process.argv.slice(2);
const backend = openFolder(root, { location: root, anchor: 'anchor', temp: 'tmp', platform: process.platform });

for (let number = 0; number < Number(folders); number++) {
  // All writers come to a folder in the same moment, as near as can be.
  while (Date.now() < Number(start) + number * 4);
  try {
    await backend.put(`folder-${number}/inner/${basename(file)}`, file, { size: Number(size), sha256 });
  } catch (error) {
    console.log(String(error));
  }
}
