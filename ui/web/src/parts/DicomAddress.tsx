import { useMe } from '../api/queries';
import { address } from '../app/address';
import { text } from '../texts';

/** Where a scanner, workstation or PACS sends to. */
export function DicomAddress() {
  const { ae, host, port } = address(useMe());
  return (
    <dl className="tabular">
      <dt>{text.home.emptyHost}</dt>
      <dd>{host}</dd>
      <dt>{text.home.emptyPort}</dt>
      <dd>{port}</dd>
      <dt>{text.home.emptyAe}</dt>
      <dd>{ae}</dd>
    </dl>
  );
}
