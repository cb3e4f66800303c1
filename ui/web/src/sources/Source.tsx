import type { SourceView } from '../api/types';
import { bytes } from '../domain/format';
import { type Amount, incompleteNow, lastHour, lastMinute, refusedLately } from '../domain/sources';
import { Meta } from '../parts/Meta';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { text } from '../texts';
import { Incomplete } from './Incomplete';
import { Refused } from './Refused';
import css from './Source.module.css';
import { Tested } from './Tested';

/** One source: its state, its numbers, and what asks for a look. */
export function Source({ source, now, hasFile }: { source: SourceView; now: number; hasFile: boolean }) {
  const words = text.sources;
  const refused = refusedLately(source, now);
  const incomplete = incompleteNow(source, now);
  const partial = incomplete.filter((one) => one.state === 'partial').length;
  const open = incomplete.length - partial;
  const times = refused.reduce((all, one) => all + one.times, 0);
  const inAll = { images: source.images ?? 0, bytes: source.bytes ?? 0 };
  return (
    <li className={css.source} data-source={source.source} data-open={source.associations ?? 0}>
      <div className={css.head}>
        <h2>{source.source || words.unnamed}</h2>
        <State source={source} />
        <Meta
          items={[
            hasFile && (source.is_configured ? words.configured : words.stranger),
            open > 0 && words.arriving(open),
          ]}
        />
        <span className={css.concerns}>
          {partial > 0 && <Status tone="warn">{words.incomplete(partial)}</Status>}
          {times > 0 && <Status tone="error">{words.refusals(times)}</Status>}
        </span>
      </div>
      <dl className={`${css.numbers} tabular`}>
        <div>
          <dt>{words.seen}</dt>
          <dd>{source.seen ? <Time iso={source.seen} /> : words.neverSeen}</dd>
        </div>
        <div>
          <dt>{words.open}</dt>
          <dd data-value="open">{(source.associations ?? 0).toLocaleString('en')}</dd>
        </div>
        <Total name={words.lastMinute} amount={lastMinute(source, now)} value="minute" />
        <Total name={words.lastHour} amount={lastHour(source, now)} value="hour" />
        <Total name={words.all} amount={inAll} value="all" />
      </dl>
      {source.is_configured && <Tested source={source} />}
      {refused.length > 0 && <Refused refused={refused} />}
      {incomplete.length > 0 && <Incomplete series={incomplete} />}
    </li>
  );
}

function State({ source }: { source: SourceView }) {
  const { states } = text.sources;
  if (source.associations) return <Status tone="run">{states.connected}</Status>;
  if (source.images) return <Status tone="ok">{states.idle}</Status>;
  return <Status tone="wait">{source.seen ? states.nothing : states.never}</Status>;
}

function Total({ name, amount, value }: { name: string; amount: Amount; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-value={value}>{text.sources.amount(amount.images, bytes(amount.bytes))}</dd>
    </div>
  );
}
