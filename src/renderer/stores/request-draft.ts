/** The request being composed: what was typed is still there when the reader comes back to the screen. */
import { defineStore } from 'pinia'
import { reactive, ref } from 'vue'
import type { Operation, OperationType } from '../../contract/operations.ts'
import { emptyFields, fieldsFromOperation } from '../lib/operation-form.ts'

/** What the JSON form begins with and shows as its example. */
export const exampleOperation = '{"type":"incr","key":"counter","n":1}'

export const useRequestDraft = defineStore('request-draft', () => {
  const mode = ref<'form' | 'raw'>('form')
  const type = ref<OperationType>('put')
  const readOnly = ref(false)
  const raw = ref(exampleOperation)
  const fields = reactive(emptyFields())

  /** Puts an earlier operation into the form. */
  function edit(operation: Operation): void {
    mode.value = 'form'
    type.value = operation.type
    Object.assign(fields, fieldsFromOperation(operation, { ...fields }))
    raw.value = JSON.stringify(operation)
  }

  return { mode, type, readOnly, raw, fields, edit }
})
