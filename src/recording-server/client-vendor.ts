// Recognises the product behind a recording client by what it cannot help writing: headers, names in SDP, its extensions.

import type { SipMessage } from '#sip'

/** A product, and what it was recognised by. */
export interface Recognised {
  /** `unknown` where nothing fits. */
  readonly vendor: string
  readonly evidence: readonly string[]
}

/** A sign of a product: a pattern for a header, or for a line or element anywhere in the body. */
interface Sign {
  readonly in: 'product' | 'header' | 'body'
  readonly pattern: RegExp
  readonly says: string
}

const product = (pattern: RegExp): Sign => ({ in: 'product', pattern, says: 'User-Agent or Server' })
const header = (pattern: RegExp, says: string): Sign => ({ in: 'header', pattern, says })
const body = (pattern: RegExp, says: string): Sign => ({ in: 'body', pattern, says })

/** Products in the order in which they are asked for; the first with most signs is taken. */
const products: Readonly<Record<string, readonly Sign[]>> = {
  'siprec-gateway': [
    product(/^siprec-gateway\b/i),
    body(/urn:siprec-gateway:call:1/, 'namespace urn:siprec-gateway:call:1'),
  ],
  'Cisco CUBE': [
    product(/^Cisco-(?:SIPGateway|CUBE)/i),
    header(/^(?:Cisco-Guid|X-Cisco-)/i, 'Cisco headers'),
    body(/^o=CiscoSystemsSIP-GW-UserAgent/m, 'o= of CiscoSystemsSIP-GW-UserAgent'),
    body(/application\/gtd/i, 'a part of type application/gtd'),
  ],
  'Cisco BroadWorks': [
    product(/broadworks|broadsoft|webex/i),
    body(/broadWorksRecordingMetadata/, 'element broadWorksRecordingMetadata'),
    body(/^o=BroadWorks/m, 'o= of BroadWorks'),
    body(/urn:ietf:params:xml:ns:siprec\b/, 'namespace of the first draft'),
  ],
  'Oracle SBC': [
    product(/acme ?packet|oracle/i),
    body(/acmepacket\.com\/siprec/, 'namespace acmepacket.com/siprec'),
    header(/^P-Acme-|^X-Acme-/i, 'Acme headers'),
  ],
  'Ribbon SBC': [
    product(/sonus|ribbon/i),
    body(/^[os]=Sonus_/m, 'SDP of Sonus_UAC'),
    body(/<(?:\w+:)?callData\b/, 'element callData'),
    body(/<tns:recording\b/, 'prefix tns'),
  ],
  Metaswitch: [
    product(/metaswitch|perimeta/i),
    body(/metaswitchRecordingMetadata/, 'element metaswitchRecordingMetadata'),
    body(/^[os]=\S*(?:Metaswitch|Perimeta)/im, 'SDP of Metaswitch'),
  ],
  'Avaya SBCE': [
    product(/avaya/i),
    body(/sip:ASBCE@/i, 'party ASBCE'),
    header(/^(?:Av-|P-AV-|P-Avaya)/i, 'Avaya headers'),
    body(/session_id="00FA[0-9A-F]{4}/, 'a session id that is a UCID'),
  ],
  AudioCodes: [
    product(/audiocodes|mediant/i),
    body(/^o=Audiocodes/im, 'o= of AudioCodes'),
    header(/^X-AC-/i, 'X-AC headers'),
    body(/xmlns:ac="[^"]*audiocodes/i, 'namespace of AudioCodes'),
  ],
  jambonz: [product(/jambonz|drachtio/i), body(/xmlns:jb="|jambonz\.org/i, 'namespace jb')],
  SEMS: [product(/sip express media server|\bsems\b/i), body(/^[os]=sems\b/im, 'SDP of sems')],
  OpenSIPS: [product(/opensips/i)],
  Kamailio: [product(/kamailio/i)],
  FreeSWITCH: [product(/freeswitch/i), body(/^[os]=FreeSWITCH/m, 'SDP of FreeSWITCH')],
  Asterisk: [product(/asterisk/i), body(/^s=Asterisk/m, 's=Asterisk')],
  'Genesys SIP Server': [product(/genesys/i), header(/^X-Genesys-/i, 'Genesys headers')],
  Mitel: [product(/mitel/i)],
  pjsip: [product(/pjsua|pjsip|pjproject/i), body(/^s=pjmedia/m, 's=pjmedia')],
}

/** Recognises the sender of a message; its body is read as far as 64 kB. */
export function recogniseVendor({ headers, body: bytes }: SipMessage): Recognised {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 65_536)).replaceAll('\r', '')
  const names = [...headers.entries()].map(([name]) => name)
  const agent = `${headers.get('User-Agent') ?? ''}\n${headers.get('Server') ?? ''}`.trim()
  const isSeen = ({ in: where, pattern }: Sign): boolean => {
    if (where === 'product') return pattern.test(agent)
    return where === 'header' ? names.some((name) => pattern.test(name)) : pattern.test(text)
  }
  let best: Recognised = { vendor: 'unknown', evidence: [] }
  for (const [vendor, signs] of Object.entries(products)) {
    const evidence = signs.filter(isSeen).map(({ says }) => says)
    if (evidence.length > best.evidence.length) best = { vendor, evidence }
  }
  return best
}

/** The products that can be recognised. */
export const knownVendors: readonly string[] = Object.keys(products)
