// What a card says of its series and of what is in quarantine. Pure; the words are the catalogue's.

import type { Card } from '../api/types';
import { reasonText } from '../domain/codes';
import { text } from '../texts';

/** How far a card's series are, and what went wrong on the way; the quarantine has a line of its own. */
export function tellSteps(card: Card, stored: number, anonymized: number): string[] {
  if (card.state === 'empty') return [text.card.noInput];
  const troubles = [
    card.failed ? text.card.failedRuns(card.failed) : '',
    card.conflicts ? text.card.conflicts(card.conflicts) : '',
  ].filter(Boolean);
  return card.failed ? troubles : [tellProgress(card, stored, anonymized), ...troubles];
}

function tellProgress(card: Card, stored: number, anonymized: number): string {
  if (card.state === 'receiving') {
    return stored > anonymized ? text.card.anonymizedOf(anonymized, stored) : text.card.received(stored);
  }
  const done = card.steps.filter((step) => step === 'succeeded').length;
  return done < card.steps.length
    ? text.card.steps(done, card.steps.length)
    : `${text.card.stepsAll(card.steps.length)}, ${text.card.received(card.anonymized + card.quarantined)}`;
}

/** What images a card lacks, or waits for; each a line. */
export function tellWhole(card: Card): string[] {
  return [
    card.partial ? text.whole.cards(card.partial, card.missing ?? 0) : '',
    card.outdated ? text.whole.outdated(card.outdated) : '',
    card.open ? text.whole.waiting(card.open) : '',
  ].filter(Boolean);
}

export interface Quarantine {
  /** The most frequent reason with its count; the count alone where the card has no reasons. */
  first: string;
  /** How many reasons there are beside it. */
  more: number;
  /** Every reason, the most frequent first. */
  all: { reason: string; words: string; images: number }[];
}

/** Why images of a card are in quarantine; null when none is. */
export function tellQuarantine(card: Card): Quarantine | null {
  if (!card.quarantined) return null;
  const all = (card.reasons ?? []).map((one) => ({
    reason: one.reason,
    words: reasonText(one),
    images: one.instances,
  }));
  const named = all.reduce((sum, one) => sum + one.images, 0);
  const [first] = all;
  if (!first) return { first: text.card.quarantined(card.quarantined), more: 0, all };
  // The server names the most frequent reasons only.
  if (named < card.quarantined) {
    all.push({ reason: '', words: text.card.reasonsOther, images: card.quarantined - named });
  }
  return { first: text.card.reason(first.images, first.words), more: all.length - 1, all };
}
