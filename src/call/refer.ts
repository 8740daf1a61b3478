// What a REFER asks for (RFC 3515 section 2.4.2), with the Replaces that its target may carry (RFC 3891 section 4).

import { err, ok, type Result } from '#kernel'
import { parseNameAddr, parseReplaces, parseSipUri, type Replaces, type SipRequest, uriText } from '#sip'

/** A transfer that a party asks for. */
export interface Refer {
  /** SIP URI to be called, without headers. */
  readonly target: string
  /** The dialog that the new call takes the place of: an attended transfer. */
  readonly replaces?: { readonly dialog: Replaces; readonly text: string }
  /** Referred-By as written (RFC 3892). */
  readonly referredBy?: string
  /** `Refer-Sub: false`: the party wants to hear nothing of how it goes (RFC 4488). */
  readonly isSilent: boolean
}

/** Reads a REFER; the error is the SIP status to refuse it with. */
export function parseRefer(request: SipRequest): Result<Refer, 400 | 416 | 603> {
  const { headers } = request
  const [value, ...more] = headers.list('Refer-To')
  const named = parseNameAddr(value ?? '')
  if (more.length > 0 || !named.ok) return err(400)
  const uri = parseSipUri(named.value.uri)
  if (!uri.ok) return err(uri.error.code === 'unsupported-scheme' ? 416 : 400)
  const { headers: uriHeaders, params, ...rest } = uri.value
  const method = params.get('method')
  if (method !== undefined && method.toUpperCase() !== 'INVITE') return err(603)
  const text = uriHeaders === undefined ? undefined : headerOf(uriHeaders, 'replaces')
  const dialog = text === undefined ? undefined : parseReplaces(text)
  if (text !== undefined && dialog === undefined) return err(400)
  const kept = new Map([...params].filter(([name]) => name !== 'method'))
  const referredBy = headers.get('Referred-By')
  return ok({
    target: uriText({ ...rest, params: kept }),
    ...(text !== undefined && dialog !== undefined && { replaces: { dialog, text } }),
    ...(referredBy !== undefined && { referredBy }),
    isSilent: headers.get('Refer-Sub')?.trim().toLowerCase() === 'false',
  })
}

/** A header of a URI, unescaped; undefined when it is not there or badly escaped (RFC 3261 section 19.1.1). */
function headerOf(uriHeaders: string, name: string): string | undefined {
  for (const field of uriHeaders.split('&')) {
    const equals = field.indexOf('=')
    if (equals < 0 || field.slice(0, equals).toLowerCase() !== name) continue
    try {
      return decodeURIComponent(field.slice(equals + 1))
    } catch {
      return ''
    }
  }
  return undefined
}
