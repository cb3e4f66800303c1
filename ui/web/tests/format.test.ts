import { describe, expect, it } from 'vitest';
import {
  age,
  bytes,
  dayName,
  hue,
  initials,
  measured,
  relativeTime,
  sexAndAge,
  timeSpan,
  unit,
} from '../src/domain/format';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const MINUTE = 60_000;

describe('times', () => {
  it.each([
    [0, 'just now'],
    [-5000, 'just now'],
    [50_000, '1 min ago'],
    [4 * MINUTE, '4 min ago'],
    [119 * MINUTE, '2 h ago'],
    [49 * 60 * MINUTE, '2 d ago'],
  ])('%i ms ago', (ms, said) => {
    expect(relativeTime(ago(ms), NOW)).toBe(said);
  });

  it('gives the date after a week', () => {
    expect(relativeTime(ago(20 * 24 * 60 * MINUTE), NOW)).toBe('18 Feb');
  });

  it('names days, with the year when it is another one', () => {
    expect(dayName(ago(0), NOW)).toBe('Today');
    expect(dayName(ago(24 * 60 * MINUTE), NOW)).toBe('Yesterday');
    expect(dayName('2025-11-12T12:00:00Z', NOW)).toBe('12 Nov 2025');
  });

  it.each([
    [400, ''],
    [38_000, '38 s'],
    [4 * MINUTE, '4 min'],
    [3 * 60 * MINUTE, '3 h'],
  ])('span of %i ms', (ms, said) => {
    expect(timeSpan(ms)).toBe(said);
  });
});

describe('values', () => {
  it('reads DICOM ages', () => {
    expect([age('054Y'), age('003M'), age('028W'), age('010D'), age('54'), age(null)]).toEqual([
      '54 y',
      '3 months',
      '28 weeks',
      '10 days',
      '',
      '',
    ]);
    expect(sexAndAge('F', '054Y')).toBe('F, 54 y');
    expect(sexAndAge(undefined, '054Y')).toBe('54 y');
  });

  it('writes measures with the digits they deserve', () => {
    expect(measured(1433.27, 'mL')).toBe('1,433.3');
    expect(measured(2.6, 'mm')).toBe('2.60');
    expect(measured(512, '1')).toBe('512');
    expect(measured(0.25, '1')).toBe('0.25');
    expect(measured(Number.NaN, 'mL')).toBe('–');
  });

  it('writes units as people do', () => {
    expect([unit('mL'), unit('1'), unit("[hnsf'U]"), unit('{voxel}')]).toEqual(['mL', '', 'HU', 'voxel']);
  });

  it('writes sizes', () => {
    expect([bytes(900), bytes(5_200), bytes(4_210_000), bytes(123_000_000), bytes(2.2e9)]).toEqual([
      '1 kB',
      '5 kB',
      '4.2 MB',
      '123 MB',
      '2.2 GB',
    ]);
  });

  it('makes initials and one colour a name', () => {
    expect([initials('Ana Kim'), initials('ben'), initials('Mei van der Endo'), initials('')]).toEqual([
      'AK',
      'BE',
      'ME',
      '?',
    ]);
    expect(hue('ana', 8)).toBe(hue('ana', 8));
    expect(hue('ana', 8)).toBeLessThan(8);
  });
});
