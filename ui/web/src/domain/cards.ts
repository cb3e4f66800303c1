// What a card says and whether it is shown. Pure.

import type { Card, CardState, SeriesCounts } from '../api/types';
import type { Tone } from '../parts/Status';

/** Filters of the home page; others are modalities. */
export const FILTERS = ['all', 'busy', 'attention', 'failed', 'done'] as const;
export type Filter = (typeof FILTERS)[number];

const BUSY: readonly CardState[] = ['receiving', 'queued', 'running'];

const TONES: Record<CardState, Tone> = {
  empty: 'wait',
  receiving: 'run',
  queued: 'wait',
  running: 'run',
  done: 'ok',
  attention: 'warn',
  failed: 'error',
};

/** The colour of a card's state. */
export function toneOf(state: CardState): Tone {
  return TONES[state];
}

/** Whether something is going on. */
export function isBusy(card: Card): boolean {
  return BUSY.includes(card.state);
}

/** Whether nothing came out: every image is in quarantine. */
export function isKeptBack(card: Card): boolean {
  return !isBusy(card) && card.quarantined > 0 && card.anonymized === 0;
}

/** Whether a card belongs to a filter. */
export function passes(card: Card, filter: Filter, modality: string | null): boolean {
  if (modality && !card.modalities.includes(modality)) return false;
  if (filter === 'busy') return isBusy(card);
  if (filter === 'attention') return card.state === 'attention' || card.state === 'failed';
  return filter === 'all' || card.state === filter;
}

/** Whether a card answers a search: every word stands somewhere in what the card tells. */
export function answers(card: Card, search: string, stateWord: string): boolean {
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const { attributes } = card;
  const told = [
    card.title,
    ...card.tags,
    ...card.modalities,
    stateWord,
    attributes.body_part_examined,
    attributes.series_description,
    attributes.study_description,
  ]
    .filter(Boolean)
    .join('\n')
    .toLocaleLowerCase();
  return words.every((word) => told.includes(word));
}

/** Live counts of a card: the sum over its series, never less than what the last event said. They count every
 * form of an image, so that the conflicts that are known are not images more. */
export function countsOf(
  card: Card,
  counts: Readonly<Record<string, SeriesCounts>>,
): { stored: number; anonymized: number; quarantined: number } {
  const sum = { stored: 0, anonymized: 0, quarantined: 0 };
  for (const key of card.series) {
    const one = counts[key];
    if (!one) continue;
    sum.stored += one.stored;
    sum.anonymized += one.anonymized;
    sum.quarantined += one.quarantined;
  }
  const anonymized = Math.max(sum.anonymized - card.conflicts, card.anonymized);
  const quarantined = Math.max(sum.quarantined - card.conflicts, card.quarantined);
  const stored = Math.max(sum.stored - card.conflicts, anonymized + quarantined);
  return { stored, anonymized, quarantined };
}

/** The picture of a role, if there is one. */
export function pictureOf(card: Card, role: string) {
  return card.pictures.find((picture) => picture.role === role) ?? null;
}
