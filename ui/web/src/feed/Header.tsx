import { ActionIcon, Button, TextInput, Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, FolderPlus, Pencil, Plus, X } from 'lucide-react';
import { type FormEvent, useRef, useState } from 'react';
import type { Card, FeedDetail } from '../api/types';
import { isKeptBack, toneOf } from '../domain/cards';
import { sexAndAge } from '../domain/format';
import { discard, issue } from '../live/commands';
import { useLive } from '../live/store';
import { Meta } from '../parts/Meta';
import { Segments } from '../parts/Segments';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { text } from '../texts';
import { AddStudy } from './AddStudy';
import css from './Header.module.css';

const MAX_TITLE = 120;
const MAX_TAG = 40;

interface Props {
  feed: string;
  detail: FeedDetail;
  /** As the server told it last: counts and steps of the one in `detail` stay as they were when it was read. */
  card: Card;
}

/** Title, state, tags, and what can be done with the whole feed. */
export function Header({ feed, detail, card }: Props) {
  const { title, tags } = detail.card;
  const [adding, setAdding] = useState(false);
  return (
    <header className={css.header}>
      <Link to="/" className={css.back}>
        <ArrowLeft size={15} aria-hidden="true" />
        {text.app.feeds}
      </Link>
      <div className={css.top}>
        <Title feed={feed} title={title} />
        <Status tone={toneOf(card.state)}>{text.card.states[card.state]}</Status>
        <Button
          className={css.add}
          variant="default"
          leftSection={<FolderPlus size={16} aria-hidden="true" />}
          onClick={() => setAdding(true)}
        >
          {text.feed.addStudy}
        </Button>
      </div>
      <Meta
        items={[
          card.modalities.join(', '),
          sexAndAge(card.attributes.patient_sex, card.attributes.patient_age),
          card.attributes.study_description,
          card.series.length > 0 && text.card.stepsAll(card.series.length),
          card.anonymized > 0 && text.feed.images(card.anonymized),
          <Time key="time" iso={card.updated} />,
        ]}
      />
      <Tags feed={feed} tags={tags} />
      <Refusals feed={feed} />
      {card.steps.length > 0 && <Segments steps={card.steps} keptBack={isKeptBack(card)} />}
      <AddStudy feed={feed} detail={detail} opened={adding} onClose={() => setAdding(false)} />
    </header>
  );
}

function Title({ feed, title }: { feed: string; title: string }) {
  const [editing, setEditing] = useState(false);
  const [draft, setDraft] = useState(title);
  const button = useRef<HTMLButtonElement>(null);
  const end = () => {
    setEditing(false);
    requestAnimationFrame(() => button.current?.focus());
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    const wanted = draft.trim();
    if (wanted && wanted !== title) void issue(feed, { type: 'rename', body: { title: wanted } });
    end();
  };
  if (!editing) {
    return (
      <div className={css.title}>
        <h1>{title}</h1>
        <Tooltip label={text.feed.rename}>
          <ActionIcon
            ref={button}
            variant="subtle"
            aria-label={text.feed.rename}
            onClick={() => {
              setDraft(title);
              setEditing(true);
            }}
          >
            <Pencil size={16} aria-hidden="true" />
          </ActionIcon>
        </Tooltip>
      </div>
    );
  }
  return (
    <form
      className={css.rename}
      onSubmit={save}
      onKeyDown={(event) => {
        if (event.key === 'Escape') end();
      }}
    >
      <TextInput
        className={css.field}
        aria-label={text.feed.title}
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        maxLength={MAX_TITLE}
        // The reader asked for this field a moment ago.
        ref={(input) => input?.focus()}
      />
      <Button type="submit" disabled={!draft.trim()}>
        {text.feed.save}
      </Button>
      <Button variant="default" onClick={end}>
        {text.feed.cancel}
      </Button>
    </form>
  );
}

function Tags({ feed, tags }: { feed: string; tags: string[] }) {
  const [adding, setAdding] = useState(false);
  const [draft, setDraft] = useState('');
  const button = useRef<HTMLButtonElement>(null);
  const end = () => {
    setAdding(false);
    setDraft('');
    requestAnimationFrame(() => button.current?.focus());
  };
  const save = (event: FormEvent) => {
    event.preventDefault();
    // A tag has no comma, so that lists of tags can be written with commas.
    const tag = draft.replaceAll(',', ' ').replace(/\s+/g, ' ').trim().slice(0, MAX_TAG);
    if (tag && !tags.includes(tag)) void issue(feed, { type: 'tag', body: { tag } });
    end();
  };
  return (
    <ul className={css.tags}>
      {tags.map((tag) => (
        <li key={tag} className={css.tag}>
          {tag}
          <button
            type="button"
            aria-label={text.feed.removeTag(tag)}
            onClick={() => void issue(feed, { type: 'untag', body: { tag } })}
          >
            <X size={13} aria-hidden="true" />
          </button>
        </li>
      ))}
      <li>
        {adding ? (
          <form
            className={css.newTag}
            onSubmit={save}
            onKeyDown={(event) => {
              if (event.key === 'Escape') end();
            }}
            onBlur={(event) => {
              if (!event.currentTarget.contains(event.relatedTarget)) end();
            }}
          >
            <input
              aria-label={text.feed.tag}
              placeholder={text.feed.tag}
              value={draft}
              maxLength={MAX_TAG}
              onChange={(event) => setDraft(event.target.value)}
              ref={(input) => input?.focus()}
            />
          </form>
        ) : (
          <button ref={button} type="button" className={css.addTag} onClick={() => setAdding(true)}>
            <Plus size={13} aria-hidden="true" />
            {text.feed.addTag}
          </button>
        )}
      </li>
    </ul>
  );
}

/** Refused wishes of the header: comments tell their own fate in the timeline. */
function Refusals({ feed }: { feed: string }) {
  const pending = useLive((state) => state.pending);
  const refused = Object.values(pending).filter(
    ({ command, state }) =>
      command.feed === feed && state === 'rejected' && !command.type.endsWith('_comment'),
  );
  if (!refused.length) return null;
  return (
    <div role="alert">
      {refused.map(({ command, reason }) => (
        <p key={command.id} className={css.refused}>
          {text.timeline.rejected(reason ?? '')}
          <button type="button" onClick={() => discard(command.id)}>
            {text.timeline.discard}
          </button>
        </p>
      ))}
    </div>
  );
}
