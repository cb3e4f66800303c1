import { fileUrl } from '../api/client';
import type { SeriesView } from '../api/types';
import { concerns, imagesOf, isKeptBack, seriesName, standing } from '../domain/series';
import { useLive } from '../live/store';
import { Status } from '../parts/Status';
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
                <span className={css.states}>
                  <State series={one} />
                  <Concerns series={one} />
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
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
  if (series.version === 0 && live) {
    return <span className={css.count}>{text.feed.arriving(live.stored, live.anonymized)}</span>;
  }
  return <span className={css.count}>{text.feed.images(imagesOf(series, live))}</span>;
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

/** Beside where the series stands, because a measured or a failed one can lack images too. */
function Concerns({ series }: { series: SeriesView }) {
  const quarantined = isKeptBack(series) && !series.run ? 0 : series.quarantined;
  const words = concerns({
    quarantined,
    conflicts: series.conflicts,
    completeness: series.completeness,
  });
  return words ? <Status tone="warn">{words}</Status> : null;
}
