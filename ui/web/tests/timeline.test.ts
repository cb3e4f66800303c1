import { describe, expect, it } from 'vitest';
import { arrange, duration, from, headline } from '../src/domain/timeline';
import { pluginsOf, tellRow, wordsOf } from '../src/timeline/words';
import { row } from './make';

const person = {
  system: false,
  actor: 'ana',
  kind: 'comment',
  type: 'chips.feed.comment.posted.v1',
} as const;

describe('grouping', () => {
  it('groups what the system did in a row', () => {
    const entries = arrange([row(1), row(2), row(3)]);
    expect(entries.map((one) => one.kind)).toEqual(['day', 'group']);
  });

  it('never groups people, and ends a group where a person acts', () => {
    const entries = arrange([row(1), row(2), row(3, person), row(4, person), row(5), row(6)]);
    expect(entries.map((one) => one.kind)).toEqual(['day', 'group', 'row', 'row', 'group']);
  });

  it('shows a single step as it is', () => {
    expect(arrange([row(1), row(2, person)]).map((one) => one.kind)).toEqual(['day', 'row', 'row']);
  });

  it('ends a group where a day ends', () => {
    const entries = arrange([
      row(1, { time: '2026-03-01T12:00:00Z' }),
      row(2, { time: '2026-03-03T12:00:00Z' }),
    ]);
    expect(entries.map((one) => one.kind)).toEqual(['day', 'row', 'day', 'row']);
  });

  it('loses no row and keeps the order', () => {
    const rows = Array.from({ length: 40 }, (_, n) => row(n + 1, n % 7 === 3 ? person : {}));
    const told = arrange(rows).flatMap((entry) =>
      entry.kind === 'day' ? [] : entry.kind === 'row' ? [entry.row.seq] : entry.rows.map((one) => one.seq),
    );
    expect(told).toEqual(rows.map((one) => one.seq));
  });

  it('puts a failure over what came after it', () => {
    const failed = row(2, { type: 'chips.feed.run.failed.v1', state: 'failed' });
    expect(headline([row(1), failed, row(3)])).toBe(failed);
    expect(headline([row(1), row(3)])?.seq).toBe(3);
    expect(duration([row(1), row(9)])).toBe(8000);
  });

  it('shows only rows from where they are whole', () => {
    expect(from({ 1: row(1), 9: row(9), 8: row(8) }, 5).map((one) => one.seq)).toEqual([8, 9]);
  });
});

describe('words', () => {
  it('names the plugin of a run by the row that queued it', () => {
    const queued = row(1, { type: 'chips.feed.run.queued.v1', job: 'j', text: 'volumetry' });
    const plugins = pluginsOf([queued]);
    expect(tellRow(row(2, { job: 'j', text: 'docker' }), {}, plugins).what).toBe('Volumetry started');
    expect(tellRow(row(2, { job: 'unknown', text: 'docker' }), {}, plugins).what).toBe('Run started');
  });

  it('says what a person did, with their words apart', () => {
    expect(tellRow(row(1, { ...person, text: 'Look.' }), { ana: 'Ana Kim' }, {})).toEqual({
      who: 'Ana Kim',
      what: 'commented',
      quote: 'Look.',
    });
  });

  it('says why words are withheld, and who is not known any more', () => {
    const gone = row(1, { ...person, text: null, withheld: 'erased' });
    expect(tellRow(gone, {}, {})).toMatchObject({ who: 'Someone', quote: 'Erased' });
    expect(wordsOf({ text: null, withheld: 'unreadable' })).toBe('This comment can not be read');
    expect(wordsOf({ text: 'Look.' })).toBe('Look.');
  });

  it('tells quarantine only when there is some', () => {
    const settled = (quarantined: number, anonymized = 3) =>
      tellRow(
        row(1, {
          type: 'chips.feed.series.anonymized.v1',
          kind: 'series',
          counts: { anonymized, quarantined },
        }),
        {},
        {},
      ).what;
    expect(settled(0)).toBe('3 images anonymized');
    expect(settled(2)).toBe('3 images anonymized, 2 in quarantine');
    expect(settled(2, 0)).toBe('2 images in quarantine');
  });
});
