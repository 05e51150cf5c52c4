/** `npm run fuzz`: 10,000 mutated inputs for every reader, twenty times as many as `npm test` gives them. */
process.env.QUARTERTURN_FUZZ_RUNS ??= '20';
process.argv.splice(2, Number.POSITIVE_INFINITY, 'inputs');
await import('./nightly.mjs');
