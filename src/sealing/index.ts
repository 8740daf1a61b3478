export { KEY_BYTES, SEAL_BYTES, seal, unseal } from './seal.ts'
