// How much of a message we are ready to look at; what is larger is refused, so that no input costs more than a fixed time.

/** Longest message, head and body, in bytes. */
export const MAX_MESSAGE_BYTES = 65_536

/** Most header lines of one message. */
export const MAX_HEADERS = 256

/** Most Via values of one message, over all its Via lines. */
export const MAX_VIAS = 64

/** Longest header line (folded parts included) or start line, in bytes. */
export const MAX_LINE_BYTES = 8192
