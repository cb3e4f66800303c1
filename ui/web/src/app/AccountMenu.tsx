import { Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { Check, LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { post } from '../api/client';
import { meQuery, queryClient } from '../api/queries';
import type { Me } from '../api/types';
import { Avatar } from '../parts/Avatar';
import { text } from '../texts';
import css from './Shell.module.css';

const THEMES = [
  ['auto', Monitor],
  ['light', Sun],
  ['dark', Moon],
] as const;

async function signOut(): Promise<void> {
  try {
    await post('/api/logout', {});
  } finally {
    queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== 'me' });
    queryClient.setQueryData(meQuery.queryKey, null);
  }
}

/** Who is signed in, the appearance, and the way out. */
export function AccountMenu({ me }: { me: Me }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="top-start" width={210} shadow="none" withinPortal>
      <Menu.Target>
        <UnstyledButton className={css.account} aria-label={text.app.account(me.user.display_name)}>
          <Avatar name={me.user.display_name} id={me.user.id} size={26} />
          <span className={css.accountName}>{me.user.display_name}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{text.app.theme}</Menu.Label>
        {THEMES.map(([scheme, Icon]) => (
          <Menu.Item
            key={scheme}
            role="menuitemradio"
            aria-checked={colorScheme === scheme}
            leftSection={<Icon size={16} aria-hidden="true" />}
            rightSection={colorScheme === scheme ? <Check size={15} aria-hidden="true" /> : null}
            onClick={() => setColorScheme(scheme)}
          >
            {text.app.themes[scheme]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={16} aria-hidden="true" />} onClick={() => void signOut()}>
          {text.app.signOut}
        </Menu.Item>
        {me.version && <Menu.Label>{text.app.version(me.version)}</Menu.Label>}
      </Menu.Dropdown>
    </Menu>
  );
}
