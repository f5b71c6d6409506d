import { writeConfig } from './config-file.ts';
import { serve } from './serve.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';

/** Bodies of any size, handed to the program as they come. */
const SETTINGS = {
  post_max_size: '0',
  enable_post_data_reading: '0',
  output_buffering: '0',
  memory_limit: '256M',
};

/**
 * Starts sabre/dav, on which Nextcloud and ownCloud are built, in PHP's own web server with four workers.
 * @param base the path of its collection, with a slash at the start and none at the end; '' for the root.
 * @param copies true: a MOVE to another folder copies, as in Debian's old sabre/dav, where readers see it half done.
 */
export function startSabre(base = '', copies = false): Promise<DavServer> {
  return serve('sabre', 1, ({ folder, root, ports }) => {
    const tree = copies ? '\\Sabre\\DAV\\ObjectTree' : 'Tree';
    const values = { USER, PASSWORD, ROOT: root, DIR: folder, BASE: `${base}/`, TREE: tree };
    const program = writeConfig(folder, 'sabre.php', values);
    const address = `127.0.0.1:${ports[0]}`;
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-d', `${name}=${value}`]);
    return {
      url: `http://${address}${base}`,
      command: 'php',
      args: [...settings, '-S', address, program],
      cwd: folder,
      env: { PHP_CLI_SERVER_WORKERS: '4' },
    };
  });
}
