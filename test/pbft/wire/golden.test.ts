/** The bytes of one message of each type, written out by hand: a change here is a change of the protocol on the wire and on disk. */
import { describe, expect, it } from 'vitest'
import type { Message, PrePrepare } from '../../../src/pbft/protocol/messages.ts'
import { decodeMessage, encodeMessage, requestSignedBytes, signedBytes } from '../../../src/pbft/wire/index.ts'
import { examples, signedRequest as exampleRequest } from '../../support/wire-examples.ts'

/** Hex with spaces; `xx*n` is byte xx n times. */
function fromNotation(notation: string): Uint8Array {
  const hex = notation.replaceAll(/([0-9a-f]{2})\*(\d+)/g, (_, byte: string, times: string) => byte.repeat(Number(times)))
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
}

const client = '0006 7a6fc3ab2f31'
const unauthenticated = `${client} 00060a24181e4001`
const signedRequest = `${unauthenticated} 00 02 00000003 010203  00 40 c1*64`
const macedRequest = `${unauthenticated} 01 ff 00000003 010203  01 02 a0*16 a1*16`
const batch = `000000aa  0000018bcfe56800 00000002  0000005b ${signedRequest}  0000003b ${macedRequest}`
const checkpoint = (id: number): string => `0000000000000080 cc*32 0${id} 40 d${id}*64`
const viewChange = (id: number): string => `
  0000000000000005 0${id} 0000018bcfe56800
  0000000000000080 cc*32 00000003 ${checkpoint(0)} ${checkpoint(1)} ${checkpoint(3)}
  00000001 0000000000000080 cc*32
  00000001 0000000000000081 d1*32 0000000000000004
  00000002 0000000000000081 d1*32 0000000000000004 0000000000000081 d2*32 0000000000000003
  40 e${id}*64`

const golden: Record<Message['type'], string> = {
  request: `01 ${signedRequest}`,
  'pre-prepare': `02 0000000000000005 0000000000000081 d1*32 40 b1*64 ${batch}`,
  proposal: '0f 0000000000000005 0000000000000081 d1*32 40 b1*64',
  prepare: '03 0000000000000005 0000000000000081 d1*32 03',
  commit: '04 001fffffffffffff 0000000100000000 0f*32 63',
  reply: `05 0000000000000005 0000000000000081 ${client} 0000000000000007 00 01 00 00000002 0908`,
  checkpoint: `06 ${checkpoint(2)}`,
  'view-change': `07 ${viewChange(2)}`,
  'new-view': `08 0000000000000005 01 00000003 ${viewChange(0)} ${viewChange(2)} ${viewChange(3)}
    0000000000000080 cc*32 00000001 0000000000000081 d1*32 40 f1*64`,
  status: `09 02 0000000000000005 01 0000000000000080 0000000000000082 01
    00000002 0000000000000083 03 0000000000000085 04  00000002 00 03  00000001 d1*32  01
    0000018bcfe56800 00 00*8  01 0000000000000180 0000000000000080 0000000000000083
    00000001 0000018bcfe56800 01 0000000000000004 0000000000000005 0000000000000084`,
  'batch-data': `0a ${batch}`,
  fetch: '0b 0000000000000080 cc*32 01 00000007',
  'meta-data': '0c 0000000000000080 00 00000000 00000002 01*32 02*32',
  data: '0d 0000000000000080 0000012c 00000004 01020304',
  'authentication-wanted': `0e ${client} 0000000000000007`,
}

describe('golden vectors', () => {
  it.each(Object.entries(golden))('%s', (type, notation) => {
    const message = examples[type as Message['type']]
    expect(Buffer.from(encodeMessage(message)).toString('hex')).toBe(Buffer.from(fromNotation(notation)).toString('hex'))
    expect(decodeMessage(fromNotation(notation))).toEqual({ ok: true, value: message })
  })

  it('of what is signed: domain, cluster, fields', () => {
    const ascii = (text: string): string => `00${text.length.toString(16).padStart(2, '0')} ${Buffer.from(text).toString('hex')}`
    const head = (domain: string): string => `${ascii(`pbft-panel ${domain} v1`)} ${ascii('ab'.repeat(16))}`
    const prePrepare = `${head('pre-prepare')} 0000000000000005 0000000000000081 d1*32`
    expect(signedBytes(examples['pre-prepare'] as PrePrepare, 'ab'.repeat(16))).toEqual(fromNotation(prePrepare))
    const request = `${head('request')} ${unauthenticated} 00 02 00000003 010203`
    expect(requestSignedBytes(exampleRequest, 'ab'.repeat(16))).toEqual(fromNotation(request))
  })
})
