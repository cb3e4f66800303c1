import { describe, expect, it } from 'vitest';
import type { IncompleteSeries, SourceView } from '../src/api/types';
import {
  arranged,
  incompleteNow,
  lastHour,
  lastMinute,
  refusalText,
  refusedLately,
} from '../src/domain/sources';
import { EMPTY } from '../src/live/state';
import { type Input, step } from '../src/live/step';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const at = (seconds: number) => NOON / 1000 + seconds;

const source = (change: Partial<SourceView> = {}): SourceView => ({ source: 'ct', version: 1, ...change });

const series = (change: Partial<IncompleteSeries> = {}): IncompleteSeries => ({
  series: 's',
  study: 'x',
  feed: 'f',
  modality: 'CT',
  state: 'open',
  images: 1,
  last: new Date(NOON).toISOString(),
  ...change,
});

describe('what a source did lately', () => {
  it('ends with the moment, though nothing was told since', () => {
    const told = source({
      recent: [
        [at(-60), 5, 50],
        [at(-10), 2, 20],
      ],
      minutes: [
        [at(-3600), 7, 70],
        [at(-60), 7, 70],
      ],
    });
    expect(lastMinute(told, NOON)).toEqual({ images: 7, bytes: 70 });
    expect(lastMinute(told, NOON + 30_000)).toEqual({ images: 2, bytes: 20 });
    expect(lastMinute(told, NOON + 120_000).images).toBe(0);
    expect(lastHour(told, NOON).images).toBe(14);
    expect(lastHour(told, NOON + 120_000).images).toBe(7);
    expect(lastHour(source(), NOON)).toEqual({ images: 0, bytes: 0 });
  });

  it('forgets refusals after an hour, and names the most frequent first', () => {
    const refusal = (reason: string, minutes: [number, number][]) => ({
      kind: 'association' as const,
      reason,
      last: '',
      minutes,
    });
    const told = source({
      refusals: [
        refusal('address', [
          [at(-7200), 90],
          [at(-60), 1],
        ]),
        refusal('calling-ae', [[at(-120), 4]]),
        refusal('certificate', [[at(-7200), 4]]),
      ],
    });
    expect(refusedLately(told, NOON).map(({ refusal, times }) => [refusal.reason, times])).toEqual([
      ['calling-ae', 4],
      ['address', 1],
    ]);
  });

  it('leaves out a series that was here already and was sent again', () => {
    const told = source({ incomplete: [series(), series({ series: 'p', state: 'partial' })] });
    expect(incompleteNow(told, NOON).map((one) => one.series)).toEqual(['p', 's']);
    expect(incompleteNow(told, NOON + 16 * 60_000).map((one) => one.series)).toEqual(['p']);
  });
});

describe('a refusal', () => {
  const words = (reason: string) => refusalText({ kind: 'object', reason, last: '', minutes: [] });

  it('says why and what to do', () => {
    expect(words('called-ae')[1]).toContain('called AE title');
    expect(words('truncated')[0]).not.toBe('truncated');
    expect(words('truncated')[1]).toContain('send it again');
  });

  it('of a newer server shows its word', () => {
    expect(words('brand-new')[0]).toBe('brand-new');
  });
});

describe('the sources of a tab', () => {
  const reached = (...inputs: Input[]) =>
    inputs.reduce((state, input) => step(state, input).state, EMPTY as typeof EMPTY);
  const frame = (one: SourceView): Input => ({ kind: 'frame', frame: { t: 'source', source: one } });

  it('are asked for before what is read, and again when the socket opens', () => {
    const watching = step(EMPTY, { kind: 'watch sources' });
    expect(watching.asks).toEqual([{ t: 'sources' }, { t: 'home' }]);
    expect(step(watching.state, { kind: 'opened' }).asks).toEqual([{ t: 'sources' }, { t: 'home' }]);
    expect(step(EMPTY, { kind: 'opened' }).asks).toEqual([{ t: 'home' }]);
  });

  it('keep what is newer, in whatever order list and frames come', () => {
    const list: Input = { kind: 'sources', sources: [source({ version: 2, images: 2 })] };
    const newer = frame(source({ version: 3, images: 3 }));
    const older = frame(source({ version: 1, images: 1 }));
    expect(reached(newer).sourcesRead).toBe(false);
    for (const inputs of [
      [list, newer, older],
      [newer, list],
      [older, newer, list],
    ]) {
      const state = reached(...inputs);
      expect([state.sources.ct?.images, state.sourcesRead]).toEqual([3, true]);
    }
  });

  it('forget one that the list does not have, unless it is newer than the list', () => {
    const list: Input = { kind: 'sources', sources: [source({ version: 5 })] };
    const old = frame(source({ source: 'old', version: 4 }));
    const fresh = frame(source({ source: 'new', version: 6 }));
    expect(Object.keys(reached(old, fresh, list).sources).toSorted()).toEqual(['ct', 'new']);
  });

  it('are shown by name, who was never seen last', () => {
    const there = [
      source({ source: 'ct-10', seen: 'x', is_configured: true }),
      source({ source: 'ct-2', seen: 'x', is_configured: true }),
      source({ source: 'a', is_configured: true }),
      source({ source: 'STRANGER', seen: 'x' }),
    ];
    expect(
      arranged(Object.fromEntries(there.map((one) => [one.source, one]))).map((one) => one.source),
    ).toEqual(['ct-2', 'ct-10', 'STRANGER', 'a']);
  });
});
