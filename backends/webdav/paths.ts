/** Between paths relative to a root, with plain names in them, and what stands in requests and answers. */
export interface Paths {
  /** The URL of a file. */
  file(path: string): URL;
  /** The URL of a folder: with a slash at its end, as nginx insists for MKCOL. '' is the root. */
  folder(path: string): URL;
  /** The path that an `href` of an answer names; undefined for what lies outside the root. No slash at its end. */
  pathOf(href: string): string | undefined;
}

export function pathsBelow(root: string): Paths {
  const base = new URL(`${root}/`);
  const prefix = decoded(base.pathname);
  const file = (path: string): URL => new URL(path.split('/').map(encodeURIComponent).join('/'), base);
  return {
    file,
    folder: (path) => (path === '' ? base : file(`${path}/`)),
    pathOf: (href) => {
      const path = decoded(URL.parse(href, base)?.pathname ?? '');
      if (path !== undefined && `${path}/` === prefix) return '';
      return prefix !== undefined && path?.startsWith(prefix)
        ? path.slice(prefix.length).replace(/\/+$/, '')
        : undefined;
    },
  };
}

function decoded(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}
