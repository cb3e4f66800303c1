// What the evidence for the completeness of a series says, line by line. Pure; the words are the catalogue's.

import type { Completeness } from '../api/types';
import { text } from '../texts';
import { measured } from './format';

/** Gaps and holes that evidence names at most, as `streams/completeness/grading.py` has it. */
const TOLD = 16;

/** Tell the evidence: what was expected, how it was sent, what is missing and where. */
export function evidenceOf(of: Completeness): string[] {
  const words = text.whole;
  const waiting = of.grade === 'quiescent';
  return [...expectation(of), ...transfer(of), ...(waiting ? [] : [...gaps(of)])]
    .filter(Boolean)
    .concat(of.broken?.length ? words.associations(of.broken.map((id) => id.slice(0, 8)).join(', ')) : []);
}

function expectation(of: Completeness): string[] {
  const words = text.whole;
  if (!of.expected) return of.grade === 'quiescent' ? [] : [words.unannounced];
  const by = words.by[of.by ?? 'announcement'];
  return [words.expected(of.received, of.expected, by), of.surplus ? words.surplus(of.surplus) : ''];
}

function transfer(of: Completeness): string[] {
  const words = text.whole.lacks;
  const told = (of.lacks ?? []).map((lack) => (lack in words ? words[lack as keyof typeof words] : ''));
  if (of.grade === 'complete_assumed') told.push(of.left ? '' : text.whole.released);
  return of.left ? [...told, text.whole.left(of.left)] : told;
}

function gaps(of: Completeness): string[] {
  const { numbers, positions, span, hole } = text.whole;
  const spans = (of.gaps ?? []).map(({ first, last }) => span(first, last));
  const holes = (of.holes ?? []).map((one) =>
    hole(one.slices, measured(one.after, 'mm'), measured(one.before, 'mm')),
  );
  return [
    of.numbers === 'gaps' ? numbers.gaps(first(spans)) : numbers[of.numbers ?? 'unknown'],
    of.positions === 'gaps' ? positions.gaps(first(holes)) : '',
    of.positions === 'uniform' ? positions.uniform : '',
  ];
}

/** What is named; evidence names the first ones only. */
function first(named: string[]): string {
  return named.length < TOLD ? named.join(', ') : text.whole.first(named.join(', '));
}
