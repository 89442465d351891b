/** An entry of a source tree. `oid` is git's object id: equal ids mean equal content, folders included. */
export interface TreeEntry {
  path: string
  type: 'file' | 'folder' | 'symlink' | 'submodule'
  oid: string
  executable: boolean
}

/**
 * The files of one commit, read lazily. Paths are from the root, with forward slashes, without a leading or trailing one;
 * '' is the root. Methods reject with `SourceError`.
 */
export interface SourceTree {
  readonly commit: string
  /** When the commit was made, by what it says of itself: the time that renders see. */
  readonly committedAt: Date
  /** The entry at a path (not following symlinks), or undefined. */
  entry(path: string): Promise<TreeEntry | undefined>
  /** The entries of a folder, sorted by path in byte order; not recursive. */
  list(folder: string): Promise<TreeEntry[]>
  /** The bytes of a file, or the target of a symlink. Rejects with `FILE_TOO_LARGE` above `maxBytes` before holding it in memory twice. */
  read(path: string, maxBytes: number): Promise<Uint8Array>
  /** Releases what it holds on disk. May be called twice. */
  close(): Promise<void>
}

/** Reads git repositories, by URL: https, http, file and plain paths of bare repositories. */
export interface GitSource {
  /** The commit that a full ref (`refs/heads/main`, or `HEAD`) points to now, with the full name it resolved to. Rejects with `UNAVAILABLE` where the host can't be asked. */
  resolveRef(repository: string, ref: string): Promise<{ref: string; commit: string} | 'absent'>
  /** The files at a commit, without history. */
  fetchTree(repository: string, commit: string, ref: string): Promise<SourceTree>
}
