import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A server, by the file that starts it, and all that must be there for it to do WebDAV. */
const NEEDS = {
  apache: { programs: ['apache2', 'openssl'], files: ['/usr/lib/apache2/modules/mod_dav_fs.so'] },
  nginx: { programs: ['nginx'], files: ['/usr/lib/nginx/modules/ngx_http_dav_ext_module.so'] },
  lighttpd: { programs: ['lighttpd'], files: ['/usr/lib/lighttpd/mod_webdav.so'] },
  rclone: { programs: ['rclone'], files: [] },
  sabre: { programs: ['php'], files: ['/usr/share/php/Sabre/autoload.php'] },
  nephele: { programs: [], files: [] },
} satisfies Record<string, { programs: string[]; files: string[] }>;

export type ServerName = keyof typeof NEEDS;

/** Whether that server can be started here; `scripts/test` installs what is missing, where it can. */
export function isInstalled(name: ServerName): boolean {
  const { programs, files }: { programs: string[]; files: string[] } = NEEDS[name];
  return programs.every((program) => findProgram(program) !== undefined) && files.every((file) => existsSync(file));
}

/** The path of a program; servers lie in /usr/sbin, which an ordinary user's PATH may lack. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
