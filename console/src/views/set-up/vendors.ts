// What to write at each vendor's SBC so that it records here. `see` is the public document that the names were compared with; without it
// nothing public was found that says them, and the page says so.

/** Where the recorder is. */
interface Target {
  readonly host: string
  readonly port: number
  readonly transport: 'udp' | 'tcp' | 'tls'
}

/** A client and how it is set up. */
interface Vendor {
  readonly name: string
  readonly how: string
  readonly snippet?: (target: Target) => string
  /** Title of the document that it was compared with. */
  readonly see?: string
}

function uri({ host, port, transport }: Target): string {
  return transport === 'tls' ? `sips:srs@${host}:${port}` : `sip:srs@${host}:${port};transport=${transport}`
}

function fields(target: Target): string {
  const { host, port, transport } = target
  return `Address:    ${host}\nPort:       ${port}\nTransport:  ${transport.toUpperCase()}\nURI:        ${uri(target)}\nProtocol:   SIPREC (RFC 7866), no authentication`
}

/** By name. */
export const vendors: readonly Vendor[] = [
  {
    name: 'AudioCodes Mediant',
    how: 'Make a Proxy Set with the address below and a Server IP Group that uses it. Then add a row to SIP Recording Rules: the IP Group whose calls are recorded as the recorded one, and the new IP Group as the recording server (SRS). The user part is under SIP Recording Settings. It needs the SIPRec licence.',
    snippet: ({ host, port, transport }) =>
      `Proxy Set address:                              ${host}:${port}\nProxy Set transport:                            ${transport.toUpperCase()}\nIP Group type:                                  Server\nSIP Recording Rule, recording server (SRS):     the new IP Group\nRecording Server (SRS) Destination Username:    srs`,
    see: "AudioCodes Mediant SBC User's Manual, SIP-based Media Recording",
  },
  {
    name: 'Avaya SBCE',
    how: 'Add a server configuration of type Recording Server with the values below, route recording sessions to it, and switch recording on in the session policy of the trunk.',
    snippet: fields,
  },
  {
    name: 'Cisco BroadWorks',
    how: 'Enter the values below as a call recording platform, choose it for the group, and give users the Call Recording service.',
    snippet: fields,
  },
  {
    name: 'Cisco CUBE',
    how: 'A dial peer leads to the recorder; a media class names it, and stands in the dial peer of the calls that are recorded. Choose tags and a number that are free on your router.',
    snippet: ({ host, port, transport }) =>
      `media class 100\n recorder parameter siprec\n  media-recording 200\n!\ndial-peer voice 200 voip\n description SIPREC recorder\n destination-pattern 9999\n session protocol sipv2\n session target ipv4:${host}:${port}\n session transport ${transport === 'tls' ? 'tcp tls' : transport}\n!\ndial-peer voice 1 voip\n session protocol sipv2\n media-class 100`,
    see: 'Cisco Unified Border Element Configuration Guide, SIPREC (SIP Recording)',
  },
  {
    name: 'Cisco Unified CM',
    how: 'It sends no SIPREC: its phones and gateways send a recorder two calls, one for each side. Let CUBE in front of it record (Cisco CUBE), or send its calls through the gateway: see below.',
  },
  {
    name: 'FreeSWITCH, Asterisk, Kamailio',
    how: 'We know of no SIPREC client in them. Send their calls through the gateway instead: see below.',
  },
  {
    name: 'jambonz, drachtio',
    how: 'In an application of jambonz, the verb config starts the recording.',
    snippet: (target) =>
      JSON.stringify(
        {
          verb: 'config',
          record: { action: 'startCallRecording', siprecServerURL: uri(target), recordingID: 'order-7' },
        },
        undefined,
        2,
      ),
    see: 'jambonz documentation, verb config',
  },
  {
    name: 'Metaswitch Perimeta',
    how: 'Enter the values below as the recording server, and choose the adjacencies whose calls are recorded.',
    snippet: fields,
  },
  {
    name: 'OpenSIPS',
    how: 'Load the module siprec behind tm, dialog, b2b_entities and the module that relays media, and start the recording in the route of the initial INVITE.',
    snippet: (target) =>
      `loadmodule "siprec.so"\n\nif (!has_totag() && is_method("INVITE")) {\n    # after the media proxy is engaged\n    siprec_start_recording("${uri(target)}");\n}`,
    see: 'OpenSIPS documentation, SIPREC module',
  },
  {
    name: 'Oracle SBC',
    how: 'A session recording server is an object of the session router, in a realm of its own; the realm whose calls are recorded names it. Oracle advises TCP for the SIP interface of its realm.',
    snippet: ({ host, port, transport }) =>
      `session-router > session-recording-server\n  name                      siprec-gateway\n  realm                     recording\n  destination               ${host}\n  port                      ${port}\n  transport-method          ${transport.toUpperCase()}\n\nmedia-manager > realm-config (of the calls)\n  session-recording-server  siprec-gateway`,
    see: 'Oracle Session Border Controller Call Monitoring Guide, Configuring SIPREC',
  },
  {
    name: 'Ribbon SBC Core',
    how: 'Allow SIPREC at the signalling port, put the address below into an SRS group profile, and name that in the call recording criteria. The last line records one call by hand, as a trial.',
    snippet: ({ host, port, transport }) =>
      `set addressContext <context> zone <zone> sipSigPort <number> siprec enabled\nset global servers callRecordingCriteria <name> criteriaState enable recorderType SIPRec recordingType ingressLeg srsGroupProfile <profile with ${host}:${port}>\nrequest global sipRec startRecord gcid <call> callLeg ingress numOfStreams 1 srsIpAddress ${host} srsPort ${port} transport ${transport} trunkGroup <trunk group>`,
    see: 'Ribbon SBC Core documentation, SIPREC Support and Servers - Call Recording Criteria - CLI',
  },
  {
    name: 'SEMS',
    how: 'Load the call control module cc_siprec in the SBC profile (siprec_module and siprec_enable), and write its file.',
    snippet: ({ host, port }) =>
      `# cc_siprec.conf\nsrs_uri=sip:srs@${host}:${port}\nrecording_mandatory=no\ncodec=PCMA\nrtp_transport=RTP/AVP`,
    see: 'SEMS, Readme.cc_siprec.txt',
  },
  { name: 'Another client', how: 'It needs these values.', snippet: fields },
]
