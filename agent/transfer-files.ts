/** Where a backend that `resumes` keeps what it knows of a file that broke off. */
export function versionOf(file: string): string {
  return `${file}.version`;
}

/** All that a download that broke off has left under a name. */
export function partsOf(file: string): string[] {
  return [file, versionOf(file)];
}
