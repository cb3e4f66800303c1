// Words of the Sources page: who sends, what was refused and what to do about it.

const plural = (n: number, one: string, many: string): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

export const sources = {
  page: 'Sources',
  lead: 'Who sends images here, what was refused and why, and which series are not complete.',
  summary: (all: number, connected: number) =>
    [plural(all, 'source', 'sources'), connected ? `${connected.toLocaleString('en')} connected now` : '']
      .filter(Boolean)
      .join(', '),
  loadFailed: 'The sources could not be loaded.',
  unnamed: 'Without a valid AE title',
  configured: 'Configured',
  stranger: 'Not in the file of sources',
  states: { connected: 'Connected', idle: 'Idle', nothing: 'Sent nothing', never: 'Never seen' },
  seen: 'Last seen',
  neverSeen: 'never',
  open: 'Open associations',
  lastMinute: 'Last minute',
  lastHour: 'Last hour',
  all: 'In all',
  amount: (images: number, size: string) => (images ? `${plural(images, 'image', 'images')} · ${size}` : '0'),
  refusals: (n: number) => `${n.toLocaleString('en')} refused in the last hour`,
  refusalsTitle: 'Refused in the last hour',
  kinds: { association: 'Association', object: 'Image' },
  times: (n: number) => plural(n, 'time', 'times'),
  incomplete: (n: number) => `${plural(n, 'series is', 'series are')} incomplete`,
  arriving: (n: number) => `${plural(n, 'series is', 'series are')} arriving`,
  seriesTitle: 'Series that are not complete',
  series: (modality: string, key: string) => `${modality} ${key.slice(0, 6)}`,
  images: (n: number) => plural(n, 'image', 'images'),
  missing: (n: number) => `${n.toLocaleString('en')} missing`,
  seriesStates: { open: 'Arriving', quiescent: 'Waiting for the sender', partial: 'Incomplete' } as Record<
    string,
    string
  >,
  lacks: {
    shortfall: 'Fewer images came than were announced.',
    aborted: 'The sender broke off and did not come back for the rest.',
    lost: 'The connection was lost and the sender did not come back for the rest.',
    refused: 'Images could not be kept, and the sender did not come back with them.',
    unended: 'The association that brought it has not ended.',
    'number-gap': 'Instance numbers are missing.',
    'position-gap': 'Slices are missing between others.',
  } as Record<string, string>,
  sendAgain: 'Send the series again from its source: images that are here already change nothing.',
  test: 'Connection from here',
  untested: 'Not tested.',
  testHow: (name: string) => `chips sources test ${name}`,
  testWhere: 'tests it, on the machine of the gateway.',
  tests: {
    ok: 'It answered.',
    unreachable: 'No connection: check host, port and firewall, and that it runs.',
    'tls-failed': 'No TLS with it: check its certificate, and that it knows the authority of ours.',
    silent: 'It took the connection and did not answer: check whether TLS is spoken there.',
    rejected: 'It refused: make the AE title of this server known to it.',
    'no-echo': 'It took the association but offers no test; it may work.',
    failed: 'It broke off or failed: see its log.',
  },
  emptyTitle: 'Nobody has connected yet',
  emptyLead: 'Enter this address on the scanner, workstation or PACS as a DICOM destination.',
  unknown: 'See the log of the gateway for this reason.',
  /** Why an association or an image was refused, and what to do. */
  reasons: {
    address: ['Its address is none of the source.', 'Add the address to the file of sources if it may send.'],
    'application-context': [
      'It asked for something that is not DICOM.',
      'Check what was connected to this port.',
    ],
    backlog: [
      'Too much waits to be processed.',
      'Nothing is lost. It comes in again when the backlog is gone; see that the agents and the bus run.',
    ],
    'called-ae': [
      'It called another AE title.',
      'Set the called AE title on the sender to the one of this server.',
    ],
    'calling-ae': [
      'Its AE title is unknown here.',
      'Add the AE title to the file of sources if it may send.',
    ],
    certificate: [
      'It did not show the certificate of the source.',
      'Compare its certificate with the file of sources.',
    ],
    congestion: ['There was no room for more work.', 'It comes in again by itself when there is room.'],
    connections: ['Far too many connections at once.', 'Find out what floods this port.'],
    'disk-low': ['The disk of the vault runs full.', 'Make room on the disk; then it comes in again.'],
    failed: ['The receiver failed on it.', 'See the log of the gateway, and report it.'],
    'invalid-instance': ['The command names no valid UIDs.', 'The sender is at fault: tell its vendor.'],
    'local-limit': [
      'Too many associations at once.',
      'Let the sender use fewer, or raise CHIPS_DICOM_ASSOCIATIONS.',
    ],
    'no-dataset': ['The image had no data.', 'The sender is at fault: tell its vendor.'],
    'no-room': ['There was no room on the disk.', 'Make room on the disk of the vault and send it again.'],
    'not-authorized': ['This source may not store.', 'Add the permission store in the file of sources.'],
    'other-class': [
      'The image is of another class than announced.',
      'The sender is at fault: tell its vendor.',
    ],
    'other-instance': [
      'The image is another one than announced.',
      'The sender is at fault: tell its vendor.',
    ],
    'over-quota': ['It sent as much as it may within an hour.', 'Send it again later, or raise mb_per_hour.'],
    'protocol-version': [
      'It speaks another version of the protocol.',
      'Check what was connected to this port.',
    ],
    'source-limit': [
      'The source has as many associations as it may.',
      'Let it use fewer, or raise its limit.',
    ],
    'tls-certificate': [
      'Its certificate was not accepted.',
      'It must show one that the authority here has signed.',
    ],
    'tls-failed': ['The TLS handshake failed.', 'Check that the sender speaks TLS 1.2 or 1.3 on this port.'],
    'tls-timeout': [
      'The TLS handshake took too long.',
      'Check the network, and that the sender speaks TLS here.',
    ],
    'too-large': [
      'The image is larger than the source may send.',
      'Raise object_mb of the source if that is right.',
    ],
    'user-identity': [
      'Its user or passcode is wrong.',
      'Compare the user on the sender with the file of sources.',
    ],
    'vault-failed': ['The receiver could not write it.', 'See to the disk of the vault and send it again.'],
  } as Record<string, [string, string]>,
  /** For images that can't be understood; `codes.reasons` says why. */
  malformed: 'It names no study that it could be shown in, or is damaged: send it again from its device.',
};
