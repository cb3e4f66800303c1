import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { useStudies } from '../api/queries';
import type { FeedDetail, StudyOption } from '../api/types';
import { issue } from '../live/commands';
import { Notice } from '../parts/Notice';
import { text } from '../texts';
import css from './AddStudy.module.css';

interface Props {
  feed: string;
  detail: FeedDetail;
  opened: boolean;
  onClose: () => void;
}

/** Choose a study that has arrived and make it an input of the feed. */
export function AddStudy({ feed, detail, opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={text.feed.addStudy}
      closeButtonProps={{ 'aria-label': text.app.close }}
    >
      <Choice feed={feed} detail={detail} onClose={onClose} />
    </Modal>
  );
}

function Choice({ feed, detail, onClose }: Omit<Props, 'opened'>) {
  const { data, error, refetch } = useStudies(true);
  const [chosen, setChosen] = useState<string | null>(null);
  const there = new Set(detail.inputs.map((input) => input.study));
  const options = (data?.studies ?? []).filter((study) => !there.has(study.study));
  const add = () => {
    if (chosen) void issue(feed, { type: 'add_input', body: { study: chosen } });
    onClose();
  };
  return (
    <div className={css.choice}>
      <p>{text.feed.addStudyHint}</p>
      {error && (
        <Notice action={text.errors.retry} onAction={() => void refetch()}>
          {error.message}
        </Notice>
      )}
      {data && options.length === 0 && <p role="status">{text.feed.addStudyNone}</p>}
      {options.length > 0 && (
        <fieldset className={css.options}>
          <legend className="sr">{text.feed.studies}</legend>
          {options.map((study) => (
            <Option key={study.study} study={study} chosen={chosen === study.study} onChoose={setChosen} />
          ))}
        </fieldset>
      )}
      {data?.more ? <p>{text.feed.newestStudies(data.studies.length)}</p> : null}
      <div className={css.actions}>
        <Button variant="default" onClick={onClose}>
          {text.feed.cancel}
        </Button>
        <Button onClick={add} disabled={!chosen}>
          {text.feed.addStudySubmit}
        </Button>
      </div>
    </div>
  );
}

function Option({
  study,
  chosen,
  onChoose,
}: {
  study: StudyOption;
  chosen: boolean;
  onChoose: (study: string) => void;
}) {
  const modalities = [...new Set(study.series.map((one) => one.modality))].sort().join(', ');
  const facts = [modalities, text.card.stepsAll(study.series.length), text.feed.inFeeds(study.feeds.length)];
  return (
    <label className={css.option}>
      <input type="radio" name="study" checked={chosen} onChange={() => onChoose(study.study)} />
      <span>
        <b>{text.feed.study(study.study)}</b>
        <span>{text.feed.patient(study.patient)}</span>
        <small>{facts.filter(Boolean).join(' · ')}</small>
      </span>
    </label>
  );
}
