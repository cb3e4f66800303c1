// Where a series and its run stand, and what there is to say of it. Pure.

import type { Completeness, RunView, SeriesCounts, SeriesView } from '../api/types';
import type { Tone } from '../parts/Status';
import { text } from '../texts';

/** What a series is called: its description, or its modality and the start of its key. */
export function seriesName(series: SeriesView): string {
  return series.attributes.series_description || text.feed.seriesOf(series.modality, series.series);
}

/** Whether every image of the series is in quarantine, so that nothing comes after. */
export function isKeptBack(series: SeriesView): boolean {
  return series.version > 0 && series.anonymized === 0 && series.quarantined > 0;
}

/** Where a run stands, in a word with its tone. */
export function runStanding(run: RunView): [Tone, string] {
  switch (run.state) {
    case 'failed':
      return ['error', text.feed.runStates.failed];
    case 'running':
      return ['run', text.feed.runStates.running];
    case 'queued':
      return ['wait', text.feed.runStates.queued];
    case 'succeeded':
      return run.outcome === 'not_a_volume'
        ? ['ok', text.feed.notAVolume]
        : ['ok', text.feed.runStates.succeeded];
  }
}

/** Whether a series is known to lack images, so that no plugin runs on it by itself. */
export function isPartial(series: SeriesView): boolean {
  return series.completeness?.grade === 'partial';
}

/** Whether an association that brought images of it is still open. */
export function isWaiting(series: SeriesView): boolean {
  return series.completeness?.grade === 'quiescent';
}

/** Whether the run that is shown lacks images that came later. */
export function isOutdated(series: SeriesView): boolean {
  return (series.run?.version ?? 0) < (series.since ?? 0) && series.run !== null;
}

/** Where a series stands. What it lacks beside that is told by `concerns`. */
export function standing(series: SeriesView): [Tone, string] {
  if (series.version === 0) return ['run', text.card.states.receiving];
  if (series.run) return runStanding(series.run);
  if (isWaiting(series)) return ['wait', text.whole.grades.quiescent];
  if (isPartial(series)) return ['warn', text.whole.held];
  if (series.anonymized > 0) return ['wait', text.feed.runStates.queued];
  return isKeptBack(series) ? ['warn', text.feed.keptBack] : ['ok', text.feed.runStates.succeeded];
}

/** What asks for a look whatever the run says: missing images, quarantine, images that came in two forms. */
export function concerns(of: {
  quarantined: number;
  conflicts: number;
  completeness?: Completeness | undefined;
}): string {
  return [
    of.completeness?.grade === 'partial' ? text.whole.partial(of.completeness.missing ?? 0) : '',
    of.quarantined ? text.card.quarantined(of.quarantined) : '',
    of.conflicts ? text.card.conflicts(of.conflicts) : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** How many images of a series there are to see. Live counts have every form of an image that came in two. */
export function imagesOf(series: SeriesView, live: SeriesCounts | undefined): number {
  if (isKeptBack(series)) return series.quarantined;
  return Math.max(series.anonymized, (live?.anonymized ?? 0) - series.conflicts);
}

/** Why a series has no measures (yet). */
export function noMeasures(series: SeriesView): string {
  if (series.run?.state === 'failed') return text.feed.noMeasures.failed;
  if (series.run?.state === 'succeeded') return text.feed.noMeasures.notAVolume;
  if (isPartial(series) && !series.run) return text.feed.noMeasures.partial;
  return isKeptBack(series) && !series.run ? text.feed.noMeasures.keptBack : text.feed.noMeasures.pending;
}

/** Why a series has no volume to show (yet). */
export function noVolume(series: SeriesView): string {
  if (series.run?.state === 'failed') return text.viewer.noVolume.failed;
  if (series.run?.state === 'succeeded') return text.viewer.noVolume.notAVolume;
  if (isPartial(series) && !series.run) return text.viewer.noVolume.partial;
  return isKeptBack(series) && !series.run ? text.viewer.noVolume.keptBack : text.viewer.noVolume.pending;
}
