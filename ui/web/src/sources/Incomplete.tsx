import { Link } from '@tanstack/react-router';
import type { IncompleteSeries } from '../api/types';
import { Meta } from '../parts/Meta';
import { Status, type Tone } from '../parts/Status';
import { Time } from '../parts/Time';
import { text } from '../texts';
import css from './Source.module.css';

const TONES: Record<string, Tone> = { open: 'run', quiescent: 'wait', partial: 'warn' };

/** The series that are arriving or lack something, each with what, and the way to its feed. */
export function Incomplete({ series }: { series: IncompleteSeries[] }) {
  const words = text.sources;
  return (
    <details className={css.more} data-incomplete={series.length}>
      <summary>{words.seriesTitle}</summary>
      <ul>
        {series.map((one) => (
          <li key={one.series} data-series={one.series} data-state={one.state}>
            <div className={css.line}>
              <Link to="/feeds/$feed" params={{ feed: one.feed }} search={{ series: one.series }}>
                {words.series(one.modality, one.series)}
              </Link>
              <Status tone={TONES[one.state] ?? 'wait'}>{words.seriesStates[one.state] ?? one.state}</Status>
            </div>
            <Meta
              items={[
                words.images(one.images),
                (one.missing ?? 0) > 0 && words.missing(one.missing ?? 0),
                <Time key="last" iso={one.last} />,
              ]}
            />
            {one.state === 'partial' && (
              <p className={css.about}>
                {[...(one.lacks ?? []).map((lack) => words.lacks[lack]), words.sendAgain].join(' ')}
              </p>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
