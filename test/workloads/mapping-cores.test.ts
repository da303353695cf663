import { describe, expect, it } from 'vitest';
import { InputError } from '../../arch/language/diagnostics.ts';
import { describeMapping } from '../../workloads/language/describe-mapping.ts';
import { mappingJsonSchema, parseMapping } from '../../workloads/language/mapping.ts';

describe('the key "cores" of a mapping', () => {
  const text = 'mapping: test\nsections:\n  - { einsums: [Y], cores: { core: M } }\n  - { einsums: [Z], loops: [m] }\n';
  const { mapping, place } = parseMapping(text, 'mapping.yaml');

  it('names the rank that each group splits, by section', () => {
    expect(mapping.sections.toArray().map(({ cores }) => cores.toObject())).toEqual([{ core: 'm' }, {}]);
  });

  it('has a place for messages', () => {
    expect(place(0, ['cores', 'core'])).toMatchObject({ file: 'mapping.yaml', line: 3, column: 36 });
  });

  it('is shown', () => {
    expect(describeMapping(mapping)).toContain('cores       m split over core');
  });

  it('is in the JSON Schema', () => {
    expect(JSON.stringify(mappingJsonSchema())).toContain('split over the cores of a group');
  });

  it('takes one rank for a group', () => {
    expect(() => parseMapping('mapping: test\ncores: { core: [m, n] }\n', 'mapping.yaml')).toThrowError(InputError);
    expect(() => parseMapping('mapping: test\ncores: m\n', 'mapping.yaml')).toThrowError(/mapping\.yaml:2:8/);
  });
});
