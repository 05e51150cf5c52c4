import type { LoweringCase } from './case.js';
import { generalCases } from './general-cases.js';
import { imageCases } from './image-cases.js';
import { partCases } from './part-cases.js';

/** Cases of every op. */
export const allCases: readonly LoweringCase[] = [...generalCases, ...partCases, ...imageCases];
