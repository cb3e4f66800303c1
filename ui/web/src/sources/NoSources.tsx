import { DicomAddress } from '../parts/DicomAddress';
import { text } from '../texts';
import css from './SourcesPage.module.css';

/** Nobody has connected: what to enter on a scanner. */
export function NoSources() {
  return (
    <section className={css.empty} aria-labelledby="no-sources">
      <h2 id="no-sources">{text.sources.emptyTitle}</h2>
      <p>{text.sources.emptyLead}</p>
      <DicomAddress />
    </section>
  );
}
