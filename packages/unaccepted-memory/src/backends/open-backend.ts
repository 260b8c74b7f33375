/**
 * The built-in backends by the kind that a handle names.
 */
import type { AcceptBackend, BackendHandle, BackendOpeners } from './backend.js';
import { createNoneBackend } from './none.js';
import { createPrefaultBackend } from './prefault.js';
import type { PrefaultOptions } from './prefault.js';
import { createSnpModel } from './snp-model.js';
import type { SnpModelOptions } from './snp-model.js';
import { createTdxModel } from './tdx-model.js';
import type { TdxModelOptions } from './tdx-model.js';
import { AcceptError } from '../base/errors.js';

const BUILT_IN: BackendOpeners = {
  none: () => createNoneBackend(),
  prefault: (handle) => createPrefaultBackend(handle as unknown as PrefaultOptions),
  'tdx-model': (handle) => createTdxModel(handle['options'] as TdxModelOptions),
  'snp-model': (handle) => createSnpModel(handle['options'] as SnpModelOptions),
};

/**
 * Builds a backend from its handle in another thread.
 * @param handle   from `toHandle()`
 * @param openers  further kinds; they win over the built-in ones
 * @throws ERR_ACCEPT_HANDLE when nobody knows the kind
 */
export function openBackend(handle: BackendHandle, openers: BackendOpeners = {}): AcceptBackend {
  const open = openers[handle.kind] ?? BUILT_IN[handle.kind];
  if (open === undefined) {
    throw new AcceptError('ERR_ACCEPT_HANDLE', `no backend of kind '${handle.kind}'`, {
      kind: handle.kind,
    });
  }
  return open(handle);
}
