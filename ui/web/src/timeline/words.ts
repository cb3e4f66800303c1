// What a timeline row says. Pure; the words are the catalogue's.

import type { TimelineRow } from '../api/types';
import { nameOf } from '../domain/events';
import { text } from '../texts';

export interface Telling {
  /** Who did it; empty when the system did. */
  who: string;
  what: string;
  /** A person's own words. */
  quote: string | null;
}

/** Plugins by job, from the rows that name them. */
export function pluginsOf(rows: Iterable<TimelineRow>): Record<string, string> {
  const plugins: Record<string, string> = {};
  for (const row of rows) {
    if (row.job && row.text && nameOf(row.type) === 'run.queued') plugins[row.job] = row.text;
  }
  return plugins;
}

/** Tell a row in words. */
export function tellRow(
  row: TimelineRow,
  people: Record<string, string>,
  plugins: Record<string, string>,
): Telling {
  const who = row.system || !row.actor ? '' : (people[row.actor] ?? text.people.someone);
  const said = row.text ?? '';
  const quote = row.kind === 'comment' ? wordsOf(row) : null;
  return { who, what: who ? deed(row, said) : happening(row, said, plugins), quote };
}

/** A person's words, or what stands in their place. */
export function wordsOf(said: Pick<TimelineRow, 'text' | 'withheld'>): string {
  return said.withheld ? text.timeline.withheld[said.withheld] : (said.text ?? '');
}

function deed(row: TimelineRow, said: string): string {
  switch (row.kind) {
    case 'created':
      return text.timeline.created;
    case 'renamed':
      return text.timeline.renamed(said);
    case 'tagged':
      return text.timeline.tagged(said);
    case 'untagged':
      return text.timeline.untagged(said);
    case 'input':
      return text.timeline.input;
    case 'edit':
      return text.timeline.editedRow;
    case 'comment':
      return text.timeline.commented;
    default:
      return happening(row, said, {});
  }
}

function happening(row: TimelineRow, said: string, plugins: Record<string, string>): string {
  const short = text.timeline.short;
  const plugin = capital((row.job && plugins[row.job]) || text.timeline.run);
  switch (nameOf(row.type)) {
    case 'created':
      return short.created;
    case 'renamed':
      return short.renamed(said);
    case 'tagged':
      return short.tagged(said);
    case 'untagged':
      return short.untagged(said);
    case 'input.added':
      return short.input;
    case 'series.receiving':
      return text.timeline.receiving;
    case 'series.anonymized':
      return version(row);
    case 'run.queued':
      return text.timeline.queued(capital(said) || plugin);
    case 'run.started':
      return text.timeline.started(plugin);
    case 'run.succeeded':
      return said === 'not_a_volume' ? text.timeline.notAVolume(plugin) : text.timeline.measured(plugin);
    case 'run.failed':
      return row.state === 'failed' ? text.timeline.failed(said) : text.timeline.retried(said);
    default:
      return said || row.kind;
  }
}

function version(row: TimelineRow): string {
  const { anonymized = 0, quarantined = 0, missing = 0, outdated = 0 } = row.counts ?? {};
  const words = text.timeline;
  const images =
    quarantined && !anonymized
      ? words.quarantined(quarantined)
      : words.anonymized(anonymized) + (quarantined ? words.quarantinedToo(quarantined) : '');
  const what = row.state === 'graded' && row.grade ? words.graded(text.whole.grades[row.grade]) : images;
  const partial = row.state !== 'graded' && row.grade === 'partial';
  return [
    what,
    partial ? words.incompleteToo(missing) : '',
    row.state !== 'graded' && row.grade === 'quiescent' ? words.waitingToo : '',
    outdated ? words.outdatedToo(outdated) : '',
  ].join('');
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
