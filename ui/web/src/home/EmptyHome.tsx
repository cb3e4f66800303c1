import { Button } from '@mantine/core';
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../api/queries';
import { address } from '../app/address';
import { Logo } from '../app/Logo';
import { DicomAddress } from '../parts/DicomAddress';
import { text } from '../texts';
import css from './EmptyHome.module.css';

/** No feed at all: how to send the first study. */
export function EmptyHome() {
  const { host, port } = address(useMe());
  const command = text.home.emptyCommand(host, port);
  const [copied, setCopied] = useState(false);
  return (
    <section className={css.empty} aria-labelledby="empty-title">
      <Logo size={44} />
      <h2 id="empty-title">{text.home.emptyTitle}</h2>
      <p>{text.home.emptyLead}</p>
      <div className={css.ways}>
        <div>
          <h3>{text.home.emptyDicom}</h3>
          <DicomAddress />
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
