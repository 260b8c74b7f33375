/** A disk of a few MiB that can be filled. */
export class SmallDisk {
  /**
   * A new, empty one.
   * @param bytes its size
   * @returns undefined where it cannot be had
   */
  static make(bytes: number): Promise<SmallDisk | undefined>;
  /** Where it is mounted, for programs that see it. */
  readonly folder: string;
  /** What starts a program that sees the disk; its process is the program's own. */
  command(program: string, args: readonly string[]): [program: string, args: string[]];
  /** Leaves no byte; what others take away meanwhile makes room again. */
  fill(): void;
  /** Takes away what `fill` wrote. */
  free(): void;
  /** The disk is gone when the last process that sees it ends. */
  close(): Promise<void>;
}
