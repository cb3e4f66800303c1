import type { Completeness, Grade } from '../api/types';
import { evidenceOf } from '../domain/whole';
import { Status, type Tone } from '../parts/Status';
import { text } from '../texts';
import css from './SeriesDetails.module.css';

const TONES: Record<Grade, Tone> = {
  quiescent: 'wait',
  complete_expected: 'ok',
  complete_assumed: 'ok',
  partial: 'warn',
};

/** How whole the series is, and how that is known. */
export function Whole({ completeness }: { completeness: Completeness }) {
  const { grade } = completeness;
  return (
    <section className={css.box} aria-labelledby="whole" data-grade={grade}>
      <div className={css.head}>
        <h2 id="whole">{text.whole.title}</h2>
        <Status tone={TONES[grade]}>{text.whole.grades[grade]}</Status>
      </div>
      <ul className={css.text}>
        {evidenceOf(completeness).map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}
