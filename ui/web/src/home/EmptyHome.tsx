import { Button } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../api/queries';
import { Logo } from '../app/Logo';
import { text } from '../texts';
import css from './EmptyHome.module.css';

/** Where images go when the server does not say. */
const DICOM = { ae: 'CHIPS', host: window.location.hostname, port: 11112 };
/** Addresses that mean "every interface": a sender needs a name instead. */
const ANY = ['', '0.0.0.0', '::'];

/** No feed at all: how to send the first study. */
export function EmptyHome() {
  const told = useMe()?.dicom ?? DICOM;
  const host = ANY.includes(told.host) ? window.location.hostname : told.host;
  const command = text.home.emptyCommand(host, told.port);
  const [copied, setCopied] = useState(false);
  return (
    <section className={css.empty} aria-labelledby="empty-title">
      <Logo size={44} />
      <h2 id="empty-title">{text.home.emptyTitle}</h2>
      <p>{text.home.emptyLead}</p>
      <div className={css.ways}>
        <div>
          <h3>{text.home.emptyDicom}</h3>
          <dl className="tabular">
            <dt>{text.home.emptyHost}</dt>
            <dd>{host}</dd>
            <dt>{text.home.emptyPort}</dt>
            <dd>{told.port}</dd>
            <dt>{text.home.emptyAe}</dt>
            <dd>{told.ae}</dd>
          </dl>
        </div>
        <div>
          <h3>{text.home.emptySend}</h3>
          <pre>
            <code>{command}</code>
          </pre>
          <Button
            variant="default"
            leftSection={
              copied ? <Check size={15} aria-hidden="true" /> : <Copy size={15} aria-hidden="true" />
            }
            onClick={() => void navigator.clipboard.writeText(command).then(() => setCopied(true))}
          >
            {copied ? text.home.copied : text.home.copy}
          </Button>
        </div>
      </div>
    </section>
  );
}
