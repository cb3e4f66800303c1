import type { Finding, RunView, SeriesView } from '../api/types';
import { findingTitle, measureLabel, reasonText } from '../domain/codes';
import { measured, seconds, unit } from '../domain/format';
import { isOutdated, noMeasures, runStanding } from '../domain/series';
import { Meta } from '../parts/Meta';
import { Status, type Tone } from '../parts/Status';
import { text } from '../texts';
import css from './SeriesDetails.module.css';
import { Whole } from './Whole';

const SEVERITY: Record<Finding['severity'], Tone> = { info: 'wait', warning: 'warn', error: 'error' };

/** What is known of the chosen series: measures, findings, the run, the quarantine, the acquisition. */
export function SeriesDetails({ series }: { series: SeriesView }) {
  const { run } = series;
  return (
    <div className={css.columns}>
      <Measures series={series} />
      <div className={css.stack}>
        {run && <Run run={run} outdated={isOutdated(series)} />}
        {run && run.findings.length > 0 && <Findings findings={run.findings} />}
        {series.completeness && <Whole completeness={series.completeness} />}
        {series.quarantined > 0 && <Quarantine series={series} />}
        {series.conflicts > 0 && (
          <section className={css.box} aria-labelledby="conflicts">
            <h2 id="conflicts">{text.feed.conflicts}</h2>
            <p className={css.text}>{text.feed.conflictsText(series.conflicts)}</p>
          </section>
        )}
        <Acquisition series={series} />
      </div>
    </div>
  );
}

function Measures({ series }: { series: SeriesView }) {
  const measures = series.run?.measures ?? [];
  return (
    <section className={css.box} aria-labelledby="measures">
      <h2 id="measures">{text.feed.measures}</h2>
      {measures.length === 0 ? (
        <p className={css.text}>{noMeasures(series)}</p>
      ) : (
        <table className={css.table}>
          <thead className="sr">
            <tr>
              <th scope="col">{text.feed.measure}</th>
              <th scope="col">{text.feed.value}</th>
              <th scope="col">{text.feed.unit}</th>
            </tr>
          </thead>
          <tbody>
            {measures.map((measure) => (
              <tr key={measure.name} data-measure={measure.name} data-value={measure.value}>
                <th scope="row">{measureLabel(measure)}</th>
                <td className={css.number}>{measured(measure.value, measure.unit)}</td>
                <td className={css.unit}>{unit(measure.unit)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Run({ run, outdated }: { run: RunView; outdated: boolean }) {
  const [tone, word] = runStanding(run);
  return (
    <section className={css.box} aria-labelledby="run">
      <div className={css.head}>
        <h2 id="run">{text.feed.run}</h2>
        <Status tone={tone}>{word}</Status>
      </div>
      <Meta
        items={[
          run.plugin,
          text.feed.version(run.version).toLowerCase(),
          run.attempt > 1 && text.feed.attempt(run.attempt),
          run.seconds !== null && text.feed.took(seconds(run.seconds)),
          run.isolation && text.feed.isolation[run.isolation],
        ]}
      />
      {run.cause && (
        <p className={css.cause} data-final={run.state === 'failed'}>
          <b>{run.state === 'failed' ? text.feed.cause : text.feed.retrying}</b> {run.cause}
        </p>
      )}
      {outdated && (
        <p className={css.cause} data-outdated="true">
          {text.whole.outdatedRun(run.version)}
        </p>
      )}
    </section>
  );
}

function Findings({ findings }: { findings: Finding[] }) {
  return (
    <section className={css.box} aria-labelledby="findings">
      <h2 id="findings">{text.feed.findings}</h2>
      <ul className={css.findings}>
        {findings.map((finding) => (
          <li key={`${finding.code}.${finding.message}`} data-code={finding.code}>
            <Status tone={SEVERITY[finding.severity]}>{text.feed.severity[finding.severity]}</Status>
            <p>
              {findingTitle(finding) && <b>{findingTitle(finding)}</b>} {finding.message}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Quarantine({ series }: { series: SeriesView }) {
  return (
    <section className={css.box} aria-labelledby="quarantine">
      <div className={css.head}>
        <h2 id="quarantine">{text.feed.quarantine}</h2>
        <Status tone="warn">{text.feed.images(series.quarantined)}</Status>
      </div>
      <p className={css.text}>{text.feed.quarantineHint}</p>
      <table className={css.table}>
        <thead className="sr">
          <tr>
            <th scope="col">{text.feed.reason}</th>
            <th scope="col">{text.feed.instances}</th>
          </tr>
        </thead>
        <tbody>
          {series.reasons.map((reason) => (
            <tr key={`${reason.reason}.${reason.message}`} data-reason={reason.reason}>
              <th scope="row">{reasonText(reason)}</th>
              <td className={css.number}>{reason.instances.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Acquisition({ series }: { series: SeriesView }) {
  const { attributes } = series;
  const facts: [string, string | null | undefined][] = [
    [text.feed.fields.body, attributes.body_part_examined],
    [text.feed.fields.study, attributes.study_description],
    [text.feed.fields.series, attributes.series_description],
    [
      text.feed.fields.matrix,
      attributes.rows && attributes.columns ? text.feed.matrix(attributes.columns, attributes.rows) : null,
    ],
    [
      text.feed.fields.thickness,
      attributes.slice_thickness ? `${measured(attributes.slice_thickness, 'mm')} mm` : null,
    ],
  ];
  const known = facts.filter(([, value]) => value);
  if (!known.length) return null;
  return (
    <section className={css.box} aria-labelledby="acquisition">
      <h2 id="acquisition">{text.feed.attributes}</h2>
      <dl className={css.facts}>
        {known.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
