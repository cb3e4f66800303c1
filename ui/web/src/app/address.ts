import type { Me } from '../api/types';

/** Addresses that mean "every interface": a sender needs a name instead. */
const ANY = ['', '0.0.0.0', '::'];

/** Where images go, as a sender has to be told; the usual when the server does not say. */
export function address(me: Me | null): { ae: string; host: string; port: number } {
  const here = window.location.hostname;
  const told = me?.dicom ?? { ae: 'CHIPS', host: here, port: 11112 };
  return { ...told, host: ANY.includes(told.host) ? here : told.host };
}
