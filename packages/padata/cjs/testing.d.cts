// @ts-ignore TypeScript before `module: node20` refuses what Node does: `require` of an ES module.
export * from '../dist/testing.js';
