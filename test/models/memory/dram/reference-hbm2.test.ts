import { describe } from 'vitest';
import { testPart } from './reference-runs.ts';

describe('replay counts what Ramulator does', () => testPart('hbm2'));
