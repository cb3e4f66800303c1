import { describe, expect, it } from 'vitest';
import type { RunView, SeriesView } from '../src/api/types';
import { findingTitle, measureLabel, reasonText } from '../src/domain/codes';
import { concerns, imagesOf, noMeasures, noVolume, runStanding, standing } from '../src/domain/series';
import { tellQuarantine, tellSteps } from '../src/home/words';
import { text } from '../src/texts';
import { card } from './make';

const run = (change: Partial<RunView> = {}): RunView => ({
  job: 'j',
  plugin: 'volumetry',
  state: 'succeeded',
  version: 1,
  attempt: 1,
  isolation: 'docker',
  outcome: 'measured',
  cause: null,
  seconds: 1,
  artefacts: [],
  measures: [],
  findings: [],
  ...change,
});

const series = (change: Partial<SeriesView> = {}): SeriesView => ({
  study: 'x',
  series: 's',
  modality: 'MR',
  version: 1,
  anonymized: 10,
  quarantined: 0,
  conflicts: 0,
  attributes: {},
  reasons: [],
  run: run(),
  ...change,
});

describe('a series', () => {
  it('that is measured is done, whatever else asks for a look', () => {
    const one = series({ conflicts: 1 });
    expect(standing(one)).toEqual(['ok', 'Done']);
    expect(concerns(one)).toBe('1 conflict');
    expect(concerns(series({ quarantined: 3, conflicts: 2 }))).toBe('3 in quarantine, 2 conflicts');
    expect(concerns(series())).toBe('');
  });

  it('of which nothing came out is in quarantine', () => {
    const one = series({ anonymized: 0, quarantined: 4, run: null });
    expect(standing(one)).toEqual(['warn', 'All in quarantine']);
    expect(noMeasures(one)).toBe(text.feed.noMeasures.keptBack);
    expect(noVolume(one)).toBe(text.viewer.noVolume.keptBack);
  });

  it('whose run failed has failed and does not pass for no volume', () => {
    const one = series({ quarantined: 1, run: run({ state: 'failed', outcome: null }) });
    expect(standing(one)).toEqual(['error', 'Failed']);
    expect(noMeasures(one)).toBe(text.feed.noMeasures.failed);
    expect(noVolume(one)).toBe(text.viewer.noVolume.failed);
  });

  it('that is no volume says so', () => {
    const one = series({ run: run({ outcome: 'not_a_volume' }) });
    expect(standing(one)).toEqual(['ok', 'Not a volume']);
    expect(noMeasures(one)).toBe(text.feed.noMeasures.notAVolume);
    expect(noVolume(one)).toBe(text.viewer.noVolume.notAVolume);
  });

  it('that goes on promises more', () => {
    const arriving = series({ version: 0, anonymized: 0, run: null });
    const waiting = series({ run: null });
    const running = series({ run: run({ state: 'running', outcome: null }) });
    expect([arriving, waiting, running].map((one) => standing(one)[1])).toEqual([
      'Receiving',
      'Queued',
      'Running',
    ]);
    for (const one of [arriving, waiting, running]) {
      expect(noMeasures(one)).toBe(text.feed.noMeasures.pending);
      expect(noVolume(one)).toBe(text.viewer.noVolume.pending);
    }
  });

  it('counts an image that came in two forms once', () => {
    const live = { series: 's', stored: 11, anonymized: 11, quarantined: 0 };
    expect(imagesOf(series({ conflicts: 1 }), live)).toBe(10);
    expect(imagesOf(series({ anonymized: 0, version: 0, run: null }), live)).toBe(11);
    expect(imagesOf(series({ anonymized: 0, quarantined: 4, run: null }), undefined)).toBe(4);
  });

  it('has a run that is told by itself', () => {
    expect(runStanding(run())).toEqual(['ok', 'Done']);
    expect(runStanding(run({ state: 'queued', outcome: null }))).toEqual(['wait', 'Queued']);
  });
});

describe('a card', () => {
  const done = { state: 'attention', steps: ['succeeded'], anonymized: 10 } as const;

  it('tells conflicts beside its series', () => {
    const one = card({ ...done, steps: ['succeeded'], conflicts: 2 });
    expect(tellSteps(one, 10, 10)).toEqual(['1 series, 10 images', '2 conflicts']);
  });

  it('of a failed run keeps its conflicts', () => {
    const one = card({ ...done, state: 'failed', steps: ['failed'], failed: 1, conflicts: 1 });
    expect(tellSteps(one, 10, 10)).toEqual(['1 run failed', '1 conflict']);
  });

  it('tells the most frequent reason of the quarantine and how many more there are', () => {
    const reasons = [
      { reason: 'ultrasound', message: 'in the words of the server', instances: 3 },
      { reason: 'of-a-later-release', message: 'In words.', instances: 1 },
    ];
    for (const state of ['attention', 'failed', 'receiving'] as const) {
      expect(tellQuarantine(card({ state, quarantined: 4, reasons }))).toEqual({
        first: '3 in quarantine · Ultrasound: names are often drawn into its pixels.',
        more: 1,
        all: [
          { reason: 'ultrasound', words: 'Ultrasound: names are often drawn into its pixels.', images: 3 },
          { reason: 'of-a-later-release', words: 'In words.', images: 1 },
        ],
      });
    }
    expect(tellQuarantine(card({ quarantined: 9, reasons }))?.all.at(-1)).toMatchObject({ images: 5 });
  });

  it('of a release without reasons tells the number, and one without quarantine nothing', () => {
    expect(tellQuarantine(card({ quarantined: 2 }))).toEqual({ first: '2 in quarantine', more: 0, all: [] });
    expect(tellQuarantine(card())).toBeNull();
  });
});

describe('codes', () => {
  it('fall back to the words of the server', () => {
    expect(reasonText({ reason: 'new', message: 'Said.', instances: 1 })).toBe('Said.');
    expect(findingTitle({ code: 'new', severity: 'info', message: 'Said.' })).toBeNull();
    expect(measureLabel({ name: 'new_one', value: 1, unit: '1', label: 'Said' })).toBe('Said');
    expect(measureLabel({ name: 'new_one', value: 1, unit: '1' })).toBe('New one');
  });

  it('have their own words', () => {
    expect(measureLabel({ name: 'slices', value: 1, unit: '1', label: 'Said' })).toBe('Slices');
    expect(findingTitle({ code: 'sheared', severity: 'info', message: '12°' })).toBe('Tilted gantry');
  });
});
