// The schema of RFC 7865 section 9 as a check on documents, by libxml2.

import { XmlBufferInputProvider, XmlDocument, XsdValidator, xmlRegisterInputProvider } from 'libxml2-wasm'
import { fixture } from './fixtures.ts'

// The schema imports xml:lang from the network; here it comes from a file.
xmlRegisterInputProvider(new XmlBufferInputProvider({ 'https://www.w3.org/2001/xml.xsd': fixture('rfc7865/xml.xsd') }))
const schema = XmlDocument.fromBuffer(fixture('rfc7865/recording.xsd'))
const validator = XsdValidator.fromDoc(schema)

/** Why the document is not valid; empty if it is. */
export function schemaProblems(document: Uint8Array | string): string[] {
  let parsed: XmlDocument | undefined
  try {
    const bytes = typeof document === 'string' ? new TextEncoder().encode(document) : document
    parsed = XmlDocument.fromBuffer(bytes)
    validator.validate(parsed)
    return []
  } catch (thrown) {
    return [thrown instanceof Error ? thrown.message : String(thrown)]
  } finally {
    parsed?.dispose()
  }
}
