// `npm run unused [-- OPTIONS FOR KNIP]`: names that nobody uses, dependencies that nobody uses or declares (knip), and
// package.json files that disagree with each other (sherif).
import { runIn } from './envs.mjs';

const knip = runIn('lint', 'knip', ['--no-config-hints', ...process.argv.slice(2)]);
const sherif = runIn('lint', 'sherif');
process.exitCode = knip || sherif;
