import { describe, expect, it } from 'vitest';
import type { Completeness, SeriesView } from '../src/api/types';
import { apply, rowOf } from '../src/domain/events';
import { concerns, isOutdated, noMeasures, standing } from '../src/domain/series';
import { evidenceOf } from '../src/domain/whole';
import { tellWhole } from '../src/home/words';
import { tellRow } from '../src/timeline/words';
import { card, detail, event } from './make';

const whole = (change: Partial<Completeness> = {}): Completeness => ({
  grade: 'complete_assumed',
  received: 10,
  ...change,
});

const recorded = (change: Record<string, unknown> = {}) =>
  event('series.anonymized', {
    study: 'x',
    series: 's1',
    modality: 'CT',
    version: 1,
    anonymized: 10,
    quarantined: 0,
    conflicts: 0,
    ...change,
  });

function seriesAfter(...events: ReturnType<typeof event>[]): SeriesView {
  const last = events.reduce((now, one, index) => apply(now, one, index + 2), detail(1));
  const [one] = last.series;
  if (!one) throw new Error('no series');
  return one;
}

describe('the evidence', () => {
  it('of what is assumed says what speaks for it', () => {
    expect(evidenceOf(whole({ numbers: 'contiguous', positions: 'uniform' }))).toEqual([
      'Nobody announced how many images it has.',
      'Every association that brought it was released.',
      'Instance numbers have no gap.',
      'Positions have no gap.',
    ]);
  });

  it('of a series that a broken association had left says so', () => {
    const said = evidenceOf(whole({ left: 1 }));
    expect(said).toContain('1 association broke off later, after going on to another series.');
    expect(said.join()).not.toContain('was released');
  });

  it('of a partial series says what is missing, where, and who broke off', () => {
    const said = evidenceOf(
      whole({
        grade: 'partial',
        received: 237,
        expected: 240,
        by: 'commitment',
        lacks: ['shortfall', 'lost', 'number-gap', 'position-gap'],
        missing: 3,
        numbers: 'gaps',
        gaps: [
          { first: 4, last: 4 },
          { first: 9, last: 10 },
        ],
        positions: 'gaps',
        holes: [{ after: 2.5, before: 7.5, slices: 1 }],
        broken: ['0190aaaa-0000-7000-8000-000000000001'],
      }),
    );
    expect(said).toEqual([
      "237 of 240 images arrived, as told by the sender's storage commitment.",
      'The connection was lost and the sender did not come back for the rest.',
      'Instance numbers are missing: 4, 9 to 10.',
      'Slices are missing: 1 between 2.50 and 7.50 mm.',
      'Association 0190aaaa',
    ]);
  });

  it('says so when it names the first gaps only', () => {
    const gaps = Array.from({ length: 16 }, (_, n) => ({ first: 3 * n, last: 3 * n }));
    const said = evidenceOf(whole({ grade: 'partial', lacks: ['number-gap'], numbers: 'gaps', gaps }));
    expect(said.at(-1)).toContain('42, 45 and perhaps more.');
  });

  it('of a series whose sender is not done says nothing of gaps yet', () => {
    expect(evidenceOf(whole({ grade: 'quiescent', lacks: ['unended'] }))).toEqual([
      'The association that brought it has not ended.',
    ]);
  });
});

describe('a series', () => {
  it('that is partial is held back and asks for a look, without a promise of measures', () => {
    const one = seriesAfter(recorded({ completeness: whole({ grade: 'partial', missing: 3 }) }));
    expect(standing(one)).toEqual(['warn', 'Held back']);
    expect(concerns(one)).toBe('3 missing');
    expect(noMeasures(one)).toContain('incomplete');
  });

  it('is graded anew by the next event', () => {
    const partial = recorded({ completeness: whole({ grade: 'partial' }) });
    const again = recorded({ completeness: whole({ grade: 'complete_expected' }), grading: 1 });
    const one = seriesAfter(partial, again);
    expect(one.completeness?.grade).toBe('complete_expected');
    expect(standing(one)).toEqual(['wait', 'Queued']);
  });

  it('waits for its sender', () => {
    const one = seriesAfter(recorded({ completeness: whole({ grade: 'quiescent' }) }));
    expect(standing(one)).toEqual(['wait', 'Waiting for the sender']);
    expect(concerns(one)).toBe('');
  });

  it('says that its run lacks later images until one has them', () => {
    const queued = (job: string, version: number) =>
      event('run.queued', { job, series: 's1', version, plugin: 'volumetry' });
    const late = recorded({ version: 2, anonymized: 11, since: 2 });
    expect(isOutdated(seriesAfter(recorded(), queued('a', 1)))).toBe(false);
    expect(isOutdated(seriesAfter(recorded(), queued('a', 1), late))).toBe(true);
    expect(isOutdated(seriesAfter(recorded(), queued('a', 1), late, queued('b', 2)))).toBe(false);
    expect(isOutdated(seriesAfter(recorded(), late))).toBe(false);
  });
});

describe('the timeline', () => {
  const told = (change: Record<string, unknown>) => {
    const row = rowOf(recorded(change), 3);
    return row ? tellRow(row, {}, {}).what : '';
  };

  it('tells what is missing and whose results lack images', () => {
    expect(told({ completeness: whole({ grade: 'partial', missing: 2 }) })).toBe(
      '10 images anonymized, incomplete: 2 missing',
    );
    expect(told({ version: 2, outdated: ['j1', 'j2'] })).toBe(
      '10 images anonymized. 2 results lack the new ones',
    );
    expect(told({ completeness: whole({ grade: 'quiescent' }) })).toBe(
      '10 images anonymized, the sender is not done',
    );
  });

  it('tells a new grade as such', () => {
    expect(told({ completeness: whole({ grade: 'complete_expected' }), grading: 1 })).toBe(
      'Series: complete as announced',
    );
  });
});

describe('a card', () => {
  it('tells what is partial, outdated or waited for, each in a line', () => {
    expect(tellWhole(card())).toEqual([]);
    expect(tellWhole(card({ partial: 1, missing: 3, outdated: 1, open: 2 }))).toEqual([
      '1 series is incomplete · 3 images missing',
      '1 result lacks images that came later',
      'Waiting for the sender of 2 series',
    ]);
  });
});
