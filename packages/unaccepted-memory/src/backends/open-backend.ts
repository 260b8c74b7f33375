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
  'tdx-model': (handle) => createTdxModel(modelOptions(handle)),
  'snp-model': (handle) => createSnpModel(modelOptions(handle)),
};

/** The settings that a model put into its handle; its counters are always there. */
function modelOptions(handle: BackendHandle): TdxModelOptions & SnpModelOptions {
  const options = handle['options'] as (TdxModelOptions & SnpModelOptions) | null | undefined;
  if (options?.counters !== undefined) return options;
  throw new AcceptError('ERR_ACCEPT_HANDLE', 'a model has counters', { kind: handle.kind });
}

/**
 * Builds a backend from its handle in another thread.
 * @param handle   from `toHandle()`
 * @param openers  further kinds; they win over the built-in ones
 * @throws ERR_ACCEPT_HANDLE when nobody knows the kind, or a built-in kind does not find in it what it needs
 */
export function openBackend(handle: BackendHandle, openers: BackendOpeners = {}): AcceptBackend {
  const kind: unknown = (handle as BackendHandle | null | undefined)?.kind;
  if (typeof kind !== 'string') {
    throw new AcceptError('ERR_ACCEPT_HANDLE', 'the handle of a backend names its kind');
  }
  if (Object.hasOwn(openers, kind)) return openers[kind]!(handle);
  if (!Object.hasOwn(BUILT_IN, kind)) {
    throw new AcceptError('ERR_ACCEPT_HANDLE', `no backend of kind '${kind}'`, { kind });
  }
  try {
    return BUILT_IN[kind]!(handle);
  } catch (cause) {
    throw new AcceptError(
      'ERR_ACCEPT_HANDLE',
      `the handle of the backend '${kind}' is not one that it made`,
      { kind },
      { cause },
    );
  }
}
