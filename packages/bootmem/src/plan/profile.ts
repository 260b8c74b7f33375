/**
 * Which kernel release's observable behaviour is followed. The differences themselves are data in the
 * packages that own them; here a log's release picks the nearest named profile.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ProfileName } from '../result.js';

/**
 * The profile for a machine.
 * @param asked        what the user asked for; `auto` looks at the kernel release
 * @param description  the machine
 * @returns `6.1` for releases before 6.9, `6.12` for 6.9 … 6.12, else `latest`; `latest` without a release
 */
export function chooseProfile(
  asked: 'auto' | ProfileName,
  description: MachineDescription,
): ProfileName {
  if (asked !== 'auto') return asked;
  const [major, minor = 0] = description.kernel?.numbers ?? [];
  if (major === undefined) return 'latest';
  if (major < 6 || (major === 6 && minor < 9)) return '6.1';
  return major === 6 && minor <= 12 ? '6.12' : 'latest';
}

/**
 * Whether a release is at least `major.minor`.
 * @param description  the machine; without a release the answer is `false`
 */
export function kernelAtLeast(
  description: MachineDescription,
  major: number,
  minor: number,
): boolean {
  const [ours, oursMinor = 0] = description.kernel?.numbers ?? [];
  if (ours === undefined) return false;
  return ours > major || (ours === major && oursMinor >= minor);
}
