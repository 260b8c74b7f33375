/**
 * Kernel releases as data: a table says what each release changed, and the profile of a release is what all
 * rows up to it add up to. `@bootmem/memmap/releases` is the same; this package knows no other.
 *
 * ```text
 *  since   a   b        5.15 -> a 1  b x   (6.1's row)      no number in the text -> the newest
 *  6.1     1   x        6.1  -> a 1  b x                    older than the table  -> its first row
 *  6.8     2            6.9  -> a 2  b x   (6.8's row)
 *  6.12        y        7.3  -> a 2  b y   (6.12's row)
 * ```
 */

/** A release's numbers; 0 for a patch that is not there. */
type Release = readonly [number, number, number];

/** What releases changed, oldest first: a complete first row, then rows that hold only what changed. */
export type ReleaseTable<Profile> = readonly [
  { readonly since: string } & Profile,
  ...({ readonly since: string } & Partial<Profile>)[],
];

/**
 * Reads a release.
 * @param text  as `uname -r` prints it, for example `6.12.100+deb12-amd64`, `7.0.0-rc3`, `4.18.0-553.el8`
 * @returns its first two or three numbers, a missing patch as 0; `undefined` when there are no such numbers
 */
function parseRelease(text: string | undefined): Release | undefined {
  const found = /(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?/.exec(text ?? '');
  if (found === null) return undefined;
  return [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
}

/**
 * Makes the one way from a release to its profile.
 * @param table  what each release changed
 * @returns a function from a release's text to its profile, which carries the name of the newest row in it as
 *   `release`; the same object each time
 */
export function byRelease<Profile extends object>(
  table: ReleaseTable<Profile>,
): (release: string | undefined) => Profile & { readonly release: string } {
  const profiles: (Profile & { readonly release: string })[] = [];
  let whole = {} as Profile;
  for (const { since, ...changed } of table) {
    whole = { ...whole, ...changed };
    profiles.push({ ...whole, release: since });
  }
  const starts = profiles.map((profile) => parseRelease(profile.release)!);
  return (text) => {
    const release = parseRelease(text);
    if (release === undefined) return profiles.at(-1)!;
    return profiles[
      Math.max(
        0,
        starts.findLastIndex((start) => !isOlder(release, start)),
      )
    ]!;
  };
}

function isOlder(release: Release, than: Release): boolean {
  const first = release.findIndex((number, index) => number !== than[index]);
  return first >= 0 && release[first]! < than[first]!;
}
