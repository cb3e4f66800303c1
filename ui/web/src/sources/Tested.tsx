import type { SourceView } from '../api/types';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { text } from '../texts';
import css from './Source.module.css';

/** How the last test of the connection to a source went, and the command that tests it. */
export function Tested({ source: { source, test } }: { source: SourceView }) {
  const words = text.sources;
  return (
    <div className={css.test} data-test={test?.outcome ?? ''}>
      <span className={css.about}>{words.test}</span>
      {test ? (
        <>
          <Status tone={test.outcome === 'ok' ? 'ok' : test.outcome === 'no-echo' ? 'wait' : 'error'}>
            {words.tests[test.outcome]}
          </Status>
          <span className={css.about}>
            <Time iso={test.at} />
          </span>
        </>
      ) : (
        <span className={css.about}>{words.untested}</span>
      )}
      <span className={css.about}>
        <code>{words.testHow(source)}</code> {words.testWhere}
      </span>
    </div>
  );
}
