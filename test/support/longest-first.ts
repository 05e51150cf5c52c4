import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, on two idle cores from half a minute on, the longest first. */
const longest = [
  'e2e/documented-commands',
  'e2e/kill-and-resume',
  'e2e/package',
  'e2e/predict',
  'e2e/cli',
  'e2e/own-images',
  'e2e/system',
  'e2e/web-runtime',
  'recipes/run',
  'conformance/exported-model',
  'conformance/webgpu',
  'e2e/suggest',
  'e2e/ablate',
  'e2e/unlabelled',
  'e2e/explain',
].map((name) => `${name}.test.ts`);

/**
 * Starts the longest files first, so that none of them is left to run alone at the end. By itself, vitest goes by the size of a file
 * where it has no times of an earlier run, as in a fresh checkout.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = longest.findIndex((name) => moduleId.endsWith(`/${name}`));
      return rank < 0 ? longest.length : rank;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
