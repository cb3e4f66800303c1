import { useMe } from '../api/queries';
import { address } from '../app/address';
import { text } from '../texts';
import css from './SourcesPage.module.css';

/** Nobody has connected: what to enter on a scanner. */
export function NoSources() {
  const { ae, host, port } = address(useMe());
  return (
    <section className={css.empty} aria-labelledby="no-sources">
      <h2 id="no-sources">{text.sources.emptyTitle}</h2>
      <p>{text.sources.emptyLead}</p>
      <dl className="tabular">
        <dt>{text.home.emptyHost}</dt>
        <dd>{host}</dd>
        <dt>{text.home.emptyPort}</dt>
        <dd>{port}</dd>
        <dt>{text.home.emptyAe}</dt>
        <dd>{ae}</dd>
      </dl>
    </section>
  );
}
