/**
 * The function that a module exports under a name. What a module exports is the program's own: reading it may throw (a getter of
 * CommonJS exports, a Proxy, a binding that is not there yet), and it may have members of its own that look like ours.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';

/** What `import` gives. */
export type Namespace = Readonly<Record<string, unknown>>;

/** @throws ERR_PADATA_MODULE when there is none, or reading it throws */
export function exportedFunction(namespace: Namespace, href: string, name: string): AnyFunction {
  let found: AnyFunction | undefined;
  try {
    found = find(namespace, name);
  } catch (cause) {
    throw new PadataError(
      'ERR_PADATA_MODULE',
      `the export "${name}" of ${href} cannot be read: ${messageOf(cause)}`,
      { module: href, name },
      { cause },
    );
  }
  if (found !== undefined) return found;
  throw new PadataError('ERR_PADATA_MODULE', `${href} has no function export "${name}"`, {
    module: href,
    name,
  });
}

/**
 * CommonJS modules show their exports one level down when they cannot be seen statically. Such a function is called as one
 * of what has it.
 */
function find(namespace: Namespace, name: string): AnyFunction | undefined {
  const direct = memberOf(namespace, name);
  if (direct !== undefined) return noThenable(direct);
  const exported = namespace['default'];
  if (exported === null || (typeof exported !== 'object' && typeof exported !== 'function')) {
    return undefined;
  }
  const member = memberOf(exported, name);
  return member === undefined ? undefined : noThenable(boundTo(exported, member));
}

/** It may have a `bind` of its own. */
function boundTo(object: object, member: AnyFunction): AnyFunction {
  return Function.prototype.bind.call(member, object) as AnyFunction;
}

/** What all objects and functions inherit (`toString`, `call`, `bind`) is nobody's export. */
function memberOf(object: object, name: string): AnyFunction | undefined {
  const member = (object as Record<string, unknown>)[name];
  if (typeof member !== 'function') return undefined;
  const everybodys: object = typeof object === 'function' ? Function.prototype : Object.prototype;
  return name in everybodys && !Object.hasOwn(object, name) ? undefined : (member as AnyFunction);
}

/** A function that has a `then` would be taken for a promise on its way through one: it goes within another. */
function noThenable(fn: AnyFunction): AnyFunction {
  const { then } = fn as { readonly then?: unknown };
  return then === undefined && !('then' in fn) ? fn : (...args) => fn(...args);
}
