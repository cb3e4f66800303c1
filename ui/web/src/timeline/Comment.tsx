import { Button, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useMe, usePeople } from '../api/queries';
import type { FeedDetail, TimelineRow } from '../api/types';
import { discard, issue, submit } from '../live/commands';
import type { Pending } from '../live/state';
import { useLive } from '../live/store';
import { Avatar } from '../parts/Avatar';
import { Time } from '../parts/Time';
import { text } from '../texts';
import { MAX_COMMENT } from './Composer';
import css from './Timeline.module.css';
import { wordsOf } from './words';

/** A comment in its present wording; its author can change it. */
export function Comment({ feed, row, detail }: { feed: string; row: TimelineRow; detail: FeedDetail }) {
  const me = useMe();
  const people = usePeople();
  const pending = useLive((state) => state.pending);
  const [editing, setEditing] = useState(false);
  const author = row.actor ?? '';
  const name = people[author] ?? text.people.someone;
  const present = detail.comments.find((one) => one.comment === row.comment);
  const edit = Object.values(pending).find(
    ({ command }) => command.type === 'edit_comment' && command.body.comment === row.comment,
  );
  const edited = edit && edit.command.type === 'edit_comment' ? edit.command.body.text : undefined;
  const said = present ?? row;
  const words = edited ?? wordsOf(said);

  const save = (wanted: string) => {
    setEditing(false);
    if (edit) discard(edit.command.id);
    if (row.comment && wanted !== present?.text) {
      void issue(feed, { type: 'edit_comment', body: { comment: row.comment, text: wanted } });
    }
  };
  return (
    <li className={css.comment} data-comment={row.comment} data-seq={row.seq}>
      <Avatar id={author} name={name} />
      <div>
        <p className={css.by}>
          <b>{name}</b>
          <small className={css.ago}>
            <Time iso={row.time} />
            {present?.edited && <> · {text.timeline.edited}</>}
          </small>
          {me?.user.id === author && !editing && !said.withheld && (
            <button type="button" className={css.action} onClick={() => setEditing(true)}>
              {text.timeline.edit}
            </button>
          )}
        </p>
        {editing ? (
          <EditForm words={words} onSave={save} onCancel={() => setEditing(false)} />
        ) : (
          <p className={css.words} data-withheld={said.withheld}>
            {words}
          </p>
        )}
        {edit && <Fate pending={edit} />}
      </div>
    </li>
  );
}

/** A comment of this tab whose event has not come back yet. */
export function PendingComment({ pending }: { pending: Pending }) {
  const me = useMe();
  if (pending.command.type !== 'post_comment' || !me) return null;
  return (
    <li className={css.comment} data-pending={pending.state} data-comment={pending.command.body.comment}>
      <Avatar id={me.user.id} name={me.user.display_name} />
      <div>
        <p className={css.by}>
          <b>{me.user.display_name}</b>
        </p>
        <p className={css.words}>{pending.command.body.text}</p>
        <Fate pending={pending} />
      </div>
    </li>
  );
}

/** How far a command is, why it was refused, and what can be done then. */
function Fate({ pending }: { pending: Pending }) {
  const { state, reason, command } = pending;
  if (state !== 'rejected') {
    const words = {
      sending: text.timeline.sending,
      undecided: text.timeline.undecided,
      waiting: text.timeline.waiting,
    };
    return (
      <p className={css.fate} role="status">
        {words[state]}
      </p>
    );
  }
  return (
    <p className={css.fate} data-refused role="alert">
      {text.timeline.rejected(reason ?? '')}
      <button type="button" className={css.action} onClick={() => void submit(command)}>
        {text.timeline.retry}
      </button>
      <button type="button" className={css.action} onClick={() => discard(command.id)}>
        {text.timeline.discard}
      </button>
    </p>
  );
}

function EditForm({
  words,
  onSave,
  onCancel,
}: {
  words: string;
  onSave: (words: string) => void;
  onCancel: () => void;
}) {
  const [draft, setDraft] = useState(words);
  const submitEdit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim()) onSave(draft.trim());
  };
  return (
    <form
      className={css.editForm}
      onSubmit={submitEdit}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel();
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submitEdit(event);
      }}
    >
      <Textarea
        aria-label={text.timeline.editLabel}
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        maxLength={MAX_COMMENT}
        rows={3}
        data-autofocus
      />
      <div className={css.editActions}>
        <Button size="xs" type="submit" disabled={!draft.trim()}>
          {text.timeline.save}
        </Button>
        <Button size="xs" variant="default" onClick={onCancel}>
          {text.timeline.cancel}
        </Button>
      </div>
    </form>
  );
}
