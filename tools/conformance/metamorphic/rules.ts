/** All rules but those that need every recording at once. */
import { CONSERVATION_RULES } from './rules/conservation.js';
import { DROP_RULES } from './rules/dropped.js';
import { FORM_RULES } from './rules/forms.js';
import { IDENTITY_RULES } from './rules/identity.js';
import { RENAMING_RULES } from './rules/renaming.js';
import type { Rule } from './variant.js';

export const ALL_RULES: readonly Rule[] = [
  ...FORM_RULES,
  ...IDENTITY_RULES,
  ...DROP_RULES,
  ...RENAMING_RULES,
  ...CONSERVATION_RULES,
];
