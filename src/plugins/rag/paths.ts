/** Paths as texts: what can be told of them without looking. */

/** On Windows too: `C:\` and `\\server\`. */
export function isAbsolute(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path);
}

/** The path of a document below the root of its collection. */
export function joinBelow(root: string, id: string): string {
  return root.endsWith("/") ? root + id : `${root}/${id}`;
}
