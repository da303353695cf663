import { describe, expect, it } from 'vitest';
import study from '../../workloads/studies/coe.ts';

describe('the study of compositions of experts', () => {
  const points = study.points();

  it('sweeps the number of experts, and has all of table V', () => {
    expect(points.filter(({ experts }) => experts === 150)).toHaveLength(3 * 2 * 2 * 2);
    expect(points.filter(({ experts }) => experts === 32)).toHaveLength(3 * 2 * 2);
    const swept = points.filter(({ machine, experts }) => machine === 'dgx-a100' && experts !== 150 && experts !== 32);
    expect(swept.every(({ batch, output, routing }) => batch === 8 && output === 20 && routing === 'uniform')).toBe(
      true,
    );
    expect(Math.max(...swept.map(({ experts }) => Number(experts)))).toBe(1000);
  });

  it('compares with the SN40L what the same point is, and says nothing without it', () => {
    const latency = { 'sn40l-node': 2, 'dgx-a100': 12, 'dgx-h100': 7 } as const;
    const rows = points.map((point) => {
      const { machine, batch, routing, experts } = point;
      const one = latency[machine as keyof typeof latency];
      return {
        ...point,
        latency: (batch === 8 ? 10 : 1) * one * (machine !== 'sn40l-node' && routing === 'round-robin' ? 2 : 1),
        switching_per_expert: one,
        rooms: experts === 150 ? 40 : 1,
        most_experts: machine === 'sn40l-node' ? 900 : 160,
      };
    });
    const measured = (text: string, of: readonly object[] = rows) =>
      study.claims.find((claim) => claim.text.startsWith(text))?.measured(of as never);
    expect(measured('Faster than a DGX A100: 8 requests, 20')).toBe(12);
    expect(measured('Faster than a DGX H100: 1 request, 200 tokens, all')).toBe(3.5);
    expect(measured('Experts switch faster than on a DGX A100')).toBe(6);
    expect(measured('Experts that a DGX has room for in HBM')).toBe(40);
    expect(measured('Experts that an SN40L')).toBe(900);
    expect(measured('DGX nodes')).toBe(22);
    expect(
      measured(
        'Faster than a DGX A100: 8',
        rows.filter((_, i) => points[i]?.machine === 'dgx-a100'),
      ),
    ).toBeNull();
  });

  it('tells of more experts than there is room for only how many there are', () => {
    const [outcome] = study.run([{ machine: 'dgx-a100', experts: 1000, batch: 8, output: 20, routing: 'uniform' }]);
    expect(outcome).toMatchObject({ metrics: { latency: null, rooms: null, most_experts: 163 } });
  });
});
