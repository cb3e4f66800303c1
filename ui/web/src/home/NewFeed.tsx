import { Button, Modal, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import type { Command } from '../api/types';
import { uuid7 } from '../domain/uuid';
import { discard, submit } from '../live/commands';
import { text } from '../texts';
import css from './NewFeed.module.css';

const MAX_TITLE = 120;

/** Open an empty feed. */
export function NewFeed({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={text.home.newFeed}
      closeButtonProps={{ 'aria-label': text.app.close }}
    >
      <NewFeedForm onClose={onClose} />
    </Modal>
  );
}

function NewFeedForm({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [title, setTitle] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  // The same command for every attempt of this dialog, so that a retry can't open a second feed.
  const ids = useRef({ id: uuid7(), feed: uuid7() });

  const create = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setTrouble(null);
    const command: Command = { ...ids.current, type: 'create', body: { title: title.trim() } };
    const outcome = await submit(command);
    if (outcome.kind === 'accepted') {
      onClose();
      await navigate({ to: '/feeds/$feed', params: { feed: command.feed } });
      return;
    }
    if (outcome.kind === 'rejected') {
      discard(command.id);
      ids.current = { id: uuid7(), feed: uuid7() };
    }
    setBusy(false);
    setTrouble(outcome.kind === 'rejected' ? outcome.reason : text.home.undecided);
  };

  return (
    <form className={css.form} onSubmit={(event) => void create(event)}>
      <p>{text.home.newFeedHint}</p>
      <TextInput
        label={text.home.newFeedTitle}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        maxLength={MAX_TITLE}
        error={trouble}
        required
        withAsterisk={false}
        data-autofocus
      />
      <div className={css.actions}>
        <Button variant="default" onClick={onClose}>
          {text.home.cancel}
        </Button>
        <Button type="submit" loading={busy} disabled={!title.trim()}>
          {text.home.create}
        </Button>
      </div>
    </form>
  );
}
