// The thread that runs inputs of `fuzz -- command`: TypeScript is loaded as in the process that starts it.
import '../../../ts-loader.mjs';

await import('./run-inputs.ts');
