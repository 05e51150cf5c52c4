/**
 * Whether to run the tests that repeat at length what a shorter one shows: `npm run nightly` does, `npm test` skips them.
 */
export const byNight = process.env.QUARTERTURN_LONG_TESTS !== undefined;
