import { describe, expect, it } from 'vitest';
import { answers, countsOf, passes } from '../src/domain/cards';
import { uuid7 } from '../src/domain/uuid';
import { backoff, LEAST_MS, MOST_MS } from '../src/live/backoff';
import { card } from './make';

describe('uuid7', () => {
  const zeros = new Uint8Array(10);
  it('has the form of version 7', () => {
    expect(uuid7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuid7(0x0190_1234_5678, zeros)).toBe('01901234-5678-7000-8000-000000000000');
  });

  it('sorts by time', () => {
    expect(uuid7(1_700_000_000_000) < uuid7(1_700_000_000_001)).toBe(true);
  });

  it('differs by chance', () => {
    expect(uuid7(1)).not.toBe(uuid7(1));
  });
});

describe('backoff', () => {
  it('stays between half a second and 15 s', () => {
    for (let attempt = 0; attempt < 40; attempt += 1) {
      for (const chance of [0, 0.5, 0.999]) {
        expect(backoff(attempt, chance)).toBeGreaterThanOrEqual(LEAST_MS);
        expect(backoff(attempt, chance)).toBeLessThanOrEqual(MOST_MS);
      }
    }
  });

  it('grows and spreads', () => {
    expect(backoff(4, 0.9)).toBeGreaterThan(backoff(0, 0.9));
    expect(backoff(6, 0.1)).toBeLessThan(backoff(6, 0.9));
  });
});

describe('cards', () => {
  it('passes filters', () => {
    const running = card({ state: 'running' });
    expect(passes(running, 'busy', null)).toBe(true);
    expect(passes(running, 'busy', 'CT')).toBe(false);
    expect(passes(card({ state: 'failed' }), 'attention', 'MR')).toBe(true);
    expect(passes(card({ state: 'done' }), 'failed', null)).toBe(false);
  });

  it('answers a search with every word, wherever it stands', () => {
    const one = card({
      title: 'Glioma follow-up',
      tags: ['tumour board'],
      attributes: { body_part_examined: 'HEAD' },
    });
    expect(answers(one, 'board  glio head', 'Done')).toBe(true);
    expect(answers(one, 'done', 'Done')).toBe(true);
    expect(answers(one, 'glioma knee', 'Done')).toBe(false);
    expect(answers(one, '  ', 'Done')).toBe(true);
  });

  it('counts its series, never less than the last event said', () => {
    const counts = {
      s1: { series: 's1', stored: 9, anonymized: 5, quarantined: 1 },
      other: { series: 'other', stored: 99, anonymized: 99, quarantined: 0 },
    };
    expect(countsOf(card(), counts)).toEqual({ stored: 9, anonymized: 5, quarantined: 1 });
    expect(countsOf(card({ anonymized: 12, quarantined: 2 }), counts)).toEqual({
      stored: 14,
      anonymized: 12,
      quarantined: 2,
    });
  });

  it('counts an image that came in two forms once, when that is known', () => {
    const counts = { s1: { series: 's1', stored: 14, anonymized: 11, quarantined: 3 } };
    const known = { stored: 13, anonymized: 10, quarantined: 3 };
    expect(countsOf(card({ anonymized: 10, quarantined: 3, conflicts: 1 }), counts)).toEqual(known);
  });
});
