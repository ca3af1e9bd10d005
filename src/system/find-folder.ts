/** A path -> the folder that it leads to, by its real name and by what tells it from another of that name. */
import { realpath, stat } from "node:fs/promises";

export interface FoundFolder {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Changes when another folder stands there: a disk was mounted, or is so no more. */
  readonly identity: string;
}

/** A sentence where there is no folder. */
export type FindFolder = (path: string) => Promise<FoundFolder | string>;

export const findFolder: FindFolder = async (path) => {
  try {
    const real = await realpath(path);
    const stats = await stat(real, { bigint: true });
    if (!stats.isDirectory()) return `${path} is not a folder`;
    return { path: real, identity: `${stats.dev}:${stats.ino}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return `${path} does not exist`;
    if (code === "EACCES" || code === "EPERM") return `${path} cannot be reached: permission denied`;
    return `${path} cannot be reached: ${message}`;
  }
};
