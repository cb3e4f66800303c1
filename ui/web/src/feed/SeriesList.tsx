import { fileUrl } from '../api/client';
import type { SeriesView } from '../api/types';
import { useLive } from '../live/store';
import { Status, type Tone } from '../parts/Status';
import { text } from '../texts';
import css from './SeriesList.module.css';

interface Props {
  feed: string;
  series: SeriesView[];
  chosen: string | null;
  onChoose: (series: string) => void;
}

/** The series of a feed with their pictures; one is chosen. */
export function SeriesList({ feed, series, chosen, onChoose }: Props) {
  return (
    <section aria-label={text.feed.series}>
      <ul className={css.list}>
        {series.map((one) => (
          <li key={one.series}>
            <button
              type="button"
              className={css.series}
              aria-pressed={one.series === chosen}
              data-series={one.series}
              data-run={one.run?.state ?? ''}
              onClick={() => onChoose(one.series)}
            >
              <Picture feed={feed} series={one} />
              <span className={css.words}>
                <b>{seriesName(one)}</b>
                <Count series={one} />
                <State series={one} />
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a series is called: its description, or its modality and the start of its key. */
export function seriesName(series: SeriesView): string {
  return series.attributes.series_description || text.feed.seriesOf(series.modality, series.series);
}

function Picture({ feed, series }: { feed: string; series: SeriesView }) {
  const picture = series.run?.artefacts.find((one) => one.role === 'key_slice');
  return (
    <span className={css.picture}>
      {picture ? (
        <img
          src={fileUrl(feed, picture.blob.sha256)}
          alt=""
          loading="lazy"
          decoding="async"
          draggable={false}
        />
      ) : (
        <span>{series.modality}</span>
      )}
    </span>
  );
}

function Count({ series }: { series: SeriesView }) {
  const live = useLive((state) => state.counts[series.series]);
  const images = Math.max(series.anonymized, live?.anonymized ?? 0);
  return (
    <span className={css.count}>
      {series.version === 0 && live
        ? text.feed.arriving(live.stored, live.anonymized)
        : text.feed.images(images)}
    </span>
  );
}

/** Where a series stands, in a word with its tone. */
export function standing(series: SeriesView): [Tone, string] {
  const { run } = series;
  if (series.version === 0) return ['run', text.card.states.receiving];
  if (run?.state === 'failed') return ['error', text.feed.runStates.failed];
  if (run?.state === 'running') return ['run', text.feed.runStates.running];
  if (run?.state === 'queued' || (!run && series.anonymized > 0)) return ['wait', text.feed.runStates.queued];
  if (run?.outcome === 'not_a_volume') return ['ok', text.feed.notAVolume];
  if (series.quarantined || series.conflicts) return ['warn', text.feed.quarantine];
  return ['ok', text.feed.runStates.succeeded];
}

function State({ series }: { series: SeriesView }) {
  const progress = useLive((state) => (series.run ? state.jobs[series.run.job] : undefined));
  const [tone, word] = standing(series);
  if (series.run?.state === 'running' && progress) {
    return (
      <Status tone={tone}>{text.card.running(progress.step, Math.round(progress.fraction * 100))}</Status>
    );
  }
  return <Status tone={tone}>{word}</Status>;
}
