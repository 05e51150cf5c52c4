import { setUp } from '../../scripts/setup.mjs';

/** Before the first test: commands are those of dist/, which is compiled here where it is older than its sources. */
export const setup = () => setUp();
