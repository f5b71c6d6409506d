import type { Backend, Findings } from '../../backends/backend.ts';

/** What every backend under test is opened with. */
export const ANCHOR = 'anchor.json';
export const TEMP = 'tmp';

/** A storage under test with a back door into it: what other programs, and the operating system, do to it. */
export interface Storage {
  /** A new handle on it, as another process would have. */
  open(): Backend;
  /** Puts a file there, or replaces one, behind the backend's back; untouched for `age` milliseconds. */
  plant(path: string, content: string | Buffer, age?: number): void;
  /** Makes a folder that was last changed `age` milliseconds ago. */
  plantFolder(path: string, age?: number): void;
  /** Sets when a file or folder was last changed. */
  setAge(path: string, age: number): void;
  /** The bytes of a file as they lie there; undefined without one. */
  content(path: string): Buffer | undefined;
  /** Every file and folder that stands there, temporary ones too, sorted; undefined where there is no root. */
  everything(): string[] | undefined;
  /** As if the disk were pulled out: `gone` together with its mount point, `empty` with the mount point left. */
  unmount(how: 'gone' | 'empty'): void;
  /** Removes one folder with all in it. */
  dropFolder(path: string): void;
  /** The location by which other processes open it; undefined for a storage that lives in this process. */
  readonly location: string | undefined;
  /** What everybody who opens it is told of it; see Findings. */
  readonly findings?: Findings;
  dispose(): void;
}

/** What a storage does differently from the best of them; the tests follow. */
export interface Traits {
  /** False where two machines that publish one path in the same instant may both be told `created`. Default true. */
  oneCreator?: boolean;
  /**
   * False where the damaged file goes aside before another takes its name: of many that replace it at once, one may create
   * the file in that moment and a second one replace it by the same bytes. Default true.
   */
  oneReplacer?: boolean;
  /** True for a storage that lives in this process, which others cannot open. */
  inProcess?: boolean;
  /** Modules to load first in other processes. */
  preload?: string[];
}

/** What a test has at hand: a storage that is created and has its anchor, and a folder for local files. */
export interface Bench {
  storage: Storage;
  backend: Backend;
  local: string;
}

/** Everything but the anchor and the temp folder itself: what the calls of a test have left. */
export function leftIn(storage: Storage): string[] {
  return (storage.everything() ?? []).filter((path) => path !== ANCHOR && path !== TEMP);
}

/** The files and folders in the temp folder. */
export function tempIn(storage: Storage): string[] {
  return leftIn(storage).filter((path) => path.startsWith(`${TEMP}/`));
}
