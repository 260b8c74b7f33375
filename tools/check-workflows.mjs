// What the workflows of .github must hold: actions are pinned by commit (with the release in a comment), every workflow
// begins with rights to read and nothing else, superseded runs are dealt with, nothing uses a stored npm token, and
// a job that may write is guarded by the owner of the repository and waits for the checks.
import { readFileSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * What is wrong with a workflow, in words.
 * @param name  file name, for the messages
 * @param text  the file
 */
export function faultsOf(name, text) {
  const faults = [];
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const uses = /^\s*(?:- )?uses: *(\S+)(.*)$/.exec(line);
    if (uses === null || uses[1].startsWith('./')) return;
    if (!/@[0-9a-f]{40}$/.test(uses[1]) || !/^ # v\d/.test(uses[2]))
      faults.push(`${name}:${index + 1}: ${uses[1]} is not pinned by commit with its release`);
  });
  if (!/^permissions: \{ contents: read \}$/m.test(text))
    faults.push(`${name}: the workflow itself must have no right but contents: read`);
  if (!/^concurrency:/m.test(text)) faults.push(`${name}: says nothing of concurrent runs`);
  if (/secrets\.(?!GITHUB_TOKEN\b)\w+/.test(text)) faults.push(`${name}: uses a stored secret`);
  const jobs = text.slice(text.search(/^jobs:$/m)).split(/^ {2}(?=\w+:$)/m);
  for (const job of jobs.slice(1)) {
    const id = job.slice(0, job.indexOf(':'));
    if (!/: write\b/.test(job)) continue;
    if (!/^ {4}needs: check$/m.test(job)) faults.push(`${name}: ${id} may write before the checks`);
    if (!/^ {4}if: github\.repository_owner == '\w+'$/m.test(job))
      faults.push(`${name}: ${id} may write in a fork`);
  }
  return faults;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = '.github/workflows/';
  const faults = readdirSync(folder).flatMap((file) =>
    faultsOf(file, readFileSync(folder + file, 'utf8')),
  );
  if (faults.length > 0) {
    console.error(faults.join('\n'));
    process.exitCode = 1;
  }
}
