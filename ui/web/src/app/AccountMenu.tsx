import { Button, Popover, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { ApiError, post } from '../api/client';
import { meQuery, queryClient } from '../api/queries';
import type { Me } from '../api/types';
import { Avatar } from '../parts/Avatar';
import { text } from '../texts';
import css from './AccountMenu.module.css';

const THEMES = [
  ['auto', Monitor],
  ['light', Sun],
  ['dark', Moon],
] as const;

/** Who is signed in, the appearance, and the way out. */
export function AccountMenu({ me }: { me: Me }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [trouble, setTrouble] = useState<string | null>(null);
  const navigate = useNavigate();

  const signOut = async () => {
    try {
      await post('/api/logout', {});
    } catch (error) {
      // Without an answer the session may still be open: nobody should believe it is not.
      if (!(error instanceof ApiError && error.status === 401)) {
        setTrouble(error instanceof Error ? error.message : String(error));
        return;
      }
    }
    await navigate({ to: '/login', search: {} });
    queryClient.clear();
    queryClient.setQueryData(meQuery.queryKey, null);
  };

  return (
    <Popover position="top-start" width={220} shadow="none" withinPortal trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={css.account ?? ''} aria-label={text.app.account(me.user.display_name)}>
          <Avatar name={me.user.display_name} id={me.user.id} size={26} />
          <span className={css.name}>{me.user.display_name}</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={text.app.account(me.user.display_name)}>
        <div className={css.menu}>
          <fieldset className={css.themes}>
            <legend>{text.app.theme}</legend>
            {THEMES.map(([scheme, Icon]) => (
              <label key={scheme}>
                <input
                  type="radio"
                  name="theme"
                  checked={colorScheme === scheme}
                  onChange={() => setColorScheme(scheme)}
                />
                <Icon size={16} aria-hidden="true" />
                {text.app.themes[scheme]}
              </label>
            ))}
          </fieldset>
          {trouble && (
            <p role="alert" className={css.trouble}>
              {trouble}
            </p>
          )}
          <Button
            variant="default"
            fullWidth
            leftSection={<LogOut size={16} aria-hidden="true" />}
            onClick={() => void signOut()}
          >
            {text.app.signOut}
          </Button>
          {me.version && <small>{text.app.version(me.version)}</small>}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
