/** The first byte of each message and log record. Numbers are never used again for anything else. */
import type { Message } from '../protocol/messages.ts'
import type { LogRecord } from '../protocol/records.ts'
import type { RecordedEntry } from './recorded.ts'

export const messageTags = {
  request: 1,
  'pre-prepare': 2,
  prepare: 3,
  commit: 4,
  reply: 5,
  checkpoint: 6,
  'view-change': 7,
  'new-view': 8,
  status: 9,
  'batch-data': 10,
  fetch: 11,
  'meta-data': 12,
  data: 13,
  'authentication-wanted': 14,
  proposal: 15,
} as const satisfies Record<Message['type'], number>

/** A bundle of replies. */
export const repliesTag = 16

export const recordTags = {
  'pre-prepared': 65,
  prepared: 66,
  executed: 67,
  batch: 68,
  'view-change': 69,
  'new-view': 70,
  checkpoint: 71,
  stable: 72,
  born: 73,
  disks: 74,
  stopped: 75,
  started: 76,
} as const satisfies Record<LogRecord['kind'], number>

export const recordedTags = {
  segment: 1,
  start: 2,
  record: 3,
  partition: 4,
  input: 5,
  signed: 6,
  rejected: 7,
  sent: 8,
  refused: 9,
  faults: 10,
  end: 11,
  checkpoint: 12,
  replies: 13,
} as const satisfies Record<RecordedEntry['kind'] | 'replies', number>
