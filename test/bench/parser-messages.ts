// Messages for the parser benchmark: a trunk INVITE of about 1.5 kB and a SIPREC INVITE of about 3 kB; `index` makes them differ.

/** An INVITE as a carrier's border element sends it: two Vias, record routes, identity and privacy headers, SDP. */
export function trunkInvite(index: number): Uint8Array {
  const id = index.toString(16).padStart(6, '0')
  const sdp = lines([
    'v=0',
    `o=SBC 8812${index} 8812${index} IN IP4 198.51.100.34`,
    's=-',
    'c=IN IP4 198.51.100.34',
    't=0 0',
    `m=audio ${20_000 + index * 2} RTP/AVP 8 0 18 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:18 G729/8000',
    'a=fmtp:18 annexb=no',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    'a=maxptime:40',
    'a=sendrecv',
  ])
  return message(
    [
      'INVITE sip:+4930901820@192.0.2.10:5060;transport=udp SIP/2.0',
      `Via: SIP/2.0/UDP 198.51.100.33:5060;branch=z9hG4bK${id}d8gkk0106;rport`,
      `Via: SIP/2.0/UDP 198.51.100.40:5060;received=198.51.100.40;branch=z9hG4bK-524287-1---${id}`,
      'Record-Route: <sip:198.51.100.33:5060;lr;ftag=8ab1>',
      `From: "Erika Mustermann" <sip:+491701234567@carrier.example.net;user=phone>;tag=SDfd9a${id}-gm-po-lucentNGFS-023541`,
      'To: <sip:+4930901820@gw.example.com;user=phone>',
      `Call-ID: SDfd9a601-${id}a7b2c9d8e7f6a5b4c3d2e1f0-v3000i1@198.51.100.33`,
      `CSeq: ${1000 + index} INVITE`,
      'Max-Forwards: 66',
      'Contact: <sip:+491701234567@198.51.100.33:5060;transport=udp>',
      'Allow: INVITE,ACK,CANCEL,BYE,UPDATE,PRACK,INFO,NOTIFY,OPTIONS',
      'Supported: 100rel,timer,precondition',
      'P-Asserted-Identity: "Erika Mustermann" <sip:+491701234567@carrier.example.net;user=phone>',
      'P-Charging-Vector: icid-value=5f1cd8a3;orig-ioi=carrier.example.net',
      'Privacy: none',
      'Session-Expires: 1800;refresher=uac',
      'Min-SE: 90',
      'User-Agent: Border Element 9.2.0',
      'Content-Type: application/sdp',
    ],
    sdp,
  )
}

/** An INVITE of a recording session: SDP with two streams and complete metadata of a two-party call. */
export function siprecInvite(index: number): Uint8Array {
  const id = index.toString(16).padStart(6, '0')
  const sdp = lines([
    'v=0',
    `o=SRC 299${index} 299${index} IN IP4 192.0.2.20`,
    's=-',
    'c=IN IP4 192.0.2.20',
    't=0 0',
    ...[1, 2].flatMap((label) => [
      `m=audio ${30_000 + index * 4 + label * 2} RTP/AVP 8 101`,
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:101 telephone-event/8000',
      `a=label:${label}`,
      'a=sendonly',
    ]),
  ])
  const boundary = `boundary-${id}`
  const body = lines([
    `--${boundary}`,
    'Content-Type: application/sdp',
    '',
    sdp,
    `--${boundary}`,
    'Content-Type: application/rs-metadata+xml',
    'Content-Disposition: recording-session',
    '',
    metadata(id),
    `--${boundary}--`,
  ])
  return message(
    [
      'INVITE sip:recorder@srs.example.com SIP/2.0',
      `Via: SIP/2.0/TCP 192.0.2.20:5060;branch=z9hG4bK${id}7c22d1;rport`,
      `From: <sip:src@gw.example.com>;tag=${id}88aa12`,
      'To: <sip:recorder@srs.example.com>',
      `Call-ID: ${id}-2c5d-4f0e-9a57-6b1d0c3e8f42`,
      'CSeq: 1 INVITE',
      'Max-Forwards: 70',
      'Contact: <sip:src@192.0.2.20:5060;transport=tcp>;+sip.src',
      'Require: siprec',
      'Supported: timer, siprec',
      'Allow: INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS, INFO',
      'Accept: application/sdp, application/rs-metadata-request',
      'Session-Expires: 1800',
      `Content-Type: multipart/mixed;boundary=${boundary}`,
    ],
    body,
  )
}

function metadata(id: string): string {
  const parties = ['caller', 'callee']
  return lines([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1">',
    '  <datamode>complete</datamode>',
    `  <group group_id="Z3JvdXAt${id}AAAAAAAA=="><associate-time>2026-01-01T12:00:00Z</associate-time></group>`,
    `  <session session_id="c2Vzc2lv${id}AAAAAAAA=="><sipSessionID>${id};remote=00</sipSessionID>`,
    `    <group-ref>Z3JvdXAt${id}AAAAAAAA==</group-ref><start-time>2026-01-01T12:00:00Z</start-time></session>`,
    ...parties.flatMap((party, index) => [
      `  <participant participant_id="cGFydGlj${id}AAAAAAA${index}==">`,
      `    <nameID aor="sip:${party}@example.com"><name xml:lang="en">${party}</name></nameID></participant>`,
      `  <stream stream_id="c3RyZWFt${id}AAAAAAA${index}==" session_id="c2Vzc2lv${id}AAAAAAAA==">`,
      `    <label>${index + 1}</label></stream>`,
      `  <participantsessionassoc participant_id="cGFydGlj${id}AAAAAAA${index}==" session_id="c2Vzc2lv${id}AAAAAAAA==">`,
      '    <associate-time>2026-01-01T12:00:00Z</associate-time></participantsessionassoc>',
      `  <participantstreamassoc participant_id="cGFydGlj${id}AAAAAAA${index}==">`,
      `    <send>c3RyZWFt${id}AAAAAAA${index}==</send>`,
      `    <recv>c3RyZWFt${id}AAAAAAA${1 - index}==</recv></participantstreamassoc>`,
    ]),
    '</recording>',
  ])
}

function message(head: readonly string[], body: string): Uint8Array {
  return Buffer.from(`${lines([...head, `Content-Length: ${Buffer.byteLength(body)}`])}\r\n${body}`)
}

function lines(all: readonly string[]): string {
  return `${all.join('\r\n')}\r\n`
}
