declare const brand: unique symbol;

/** The id of an LFS object: the SHA-256 of its content, 64 lower-case hex digits. Made by `parseOid` only. */
export type Oid = string & { readonly [brand]: true };

export function parseOid(text: unknown): Oid | undefined {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? (text as Oid) : undefined;
}
