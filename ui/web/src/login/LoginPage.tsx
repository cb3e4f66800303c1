import { Button, PasswordInput, TextInput } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError, keepCsrf, post } from '../api/client';
import { meQuery, queryClient } from '../api/queries';
import type { Me } from '../api/types';
import { Logo } from '../app/Logo';
import { usePageTitle } from '../parts/usePageTitle';
import { text } from '../texts';
import css from './LoginPage.module.css';

const route = getRouteApi('/login');

/** What a refused login says; what has no words here says what the server said. */
function refusalOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return text.login.wrong;
  if (error instanceof ApiError && error.status === 429 && error.retryAfter !== null) {
    return text.login.tooMany(Math.ceil(error.retryAfter / 60));
  }
  return error instanceof Error ? error.message : String(error);
}

/** Name and password. */
export function LoginPage() {
  const { to } = route.useSearch();
  const navigate = route.useNavigate();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  usePageTitle(text.login.page);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setBusy(true);
    setRefused(null);
    try {
      const { body } = await post<Me>('/api/login', {
        name: String(given.get('name') ?? '').trim(),
        password: String(given.get('password') ?? ''),
      });
      keepCsrf(body.csrf);
      // The login tells who it is; version and DICOM address come with /api/me.
      await queryClient.fetchQuery({ ...meQuery, staleTime: 0 });
      await navigate({ href: to ?? '/', replace: true });
    } catch (error) {
      setRefused(refusalOf(error));
      setBusy(false);
    }
  };

  return (
    <main className={css.page}>
      <form className={css.form} onSubmit={(event) => void submit(event)}>
        <div className={css.brand}>
          <Logo size={34} />
          <h1>{text.app.name}</h1>
        </div>
        <p className={css.lead}>{to ? text.login.goOn : text.login.lead}</p>
        <TextInput
          name="name"
          label={text.login.name}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          maxLength={64}
          size="md"
          data-autofocus
        />
        <PasswordInput
          name="password"
          label={text.login.password}
          autoComplete="current-password"
          required
          withAsterisk={false}
          size="md"
          visibilityToggleButtonProps={{ 'aria-label': text.login.show, 'aria-hidden': false, tabIndex: 0 }}
        />
        <div role="alert" className={css.refused}>
          {refused}
        </div>
        <Button type="submit" fullWidth loading={busy} size="md">
          {text.login.submit}
        </Button>
        <p className={css.hint}>{text.login.hint}</p>
      </form>
    </main>
  );
}
